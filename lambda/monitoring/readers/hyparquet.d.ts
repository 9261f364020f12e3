/** Modules of hyparquet that it publishes beside its main one, where the types of a node resolution do not reach. */

declare module 'hyparquet/src/column.js' {
  import type { PageHeader } from 'hyparquet';

  export function parquetHeader(reader: { view: DataView; offset: number }): PageHeader;
}

declare module 'hyparquet/src/datapage.js' {
  import type { CompressionCodec, Compressors, DataPage, DataPageHeader } from 'hyparquet';
  import type { ColumnDecoder } from 'hyparquet/src/types.js';

  export function readDataPage(bytes: Uint8Array, header: DataPageHeader, decoder: ColumnDecoder): DataPage;
  export function decompressPage(bytes: Uint8Array, size: number, codec: CompressionCodec, compressors: Compressors | undefined): Uint8Array;
}

declare module 'hyparquet/src/convert.js' {
  import type { DecodedArray, ParquetParsers } from 'hyparquet';
  import type { ColumnDecoder } from 'hyparquet/src/types.js';

  export const DEFAULT_PARSERS: ParquetParsers;
  export function convert(data: DecodedArray, decoder: ColumnDecoder): DecodedArray;
}
