/** Figures in sentences. */

export const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** Enough digits that a small share is no zero. */
export const percent = (share: number): string => {
  const size = Math.abs(share * 100);
  return `${(share * 100).toFixed(size === 0 || size >= 1 ? 1 : size >= 0.01 ? 2 : 4)} %`;
};

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export const bytesText = (bytes: number): string => {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${shown(bytes / 1024 ** power)} ${UNITS[power]}`;
};

