import { binaryFigures } from './binary';
import type { PartFigures, Parts } from './figures';
import { multiclassFigures } from './multiclass';
import { regressionFigures } from './regression';
import type { QualityTable } from './table';

/** Every row in one part. */
const wholeOf = (table: QualityTable): Parts => ({ count: 1, partOf: () => 0, ...placesOf(table) });

export function placesOf(table: QualityTable): Pick<Parts, 'blocks' | 'place'> {
  const place = new Uint16Array(table.blockIds.length);
  table.blockOrder().forEach((position, order) => {
    place[position] = order;
  });
  return { blocks: place.length, place };
}

/** Metrics and rates of each part, each with its value without every single block, in one pass over the rows. */
export function figuresOf(table: QualityTable, parts: Parts = wholeOf(table)): PartFigures[] {
  switch (table.task.kind) {
    case 'REGRESSION':
      return regressionFigures(table, parts);
    case 'BINARY_CLASSIFICATION':
      return binaryFigures(table, parts);
    case 'MULTICLASS_CLASSIFICATION':
      return multiclassFigures(table, parts);
    default:
      throw new RangeError(`no metrics are known for a task of kind ${table.task.kind}`);
  }
}
