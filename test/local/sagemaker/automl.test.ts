import { heldOut, numericRows } from '../../../local/sagemaker/automl-data';

describe('the data of an AutoML job', () => {
  test('keeps the columns of numbers, empty cells included, with the target first', () => {
    const rows = numericRows(['a,name,y,b\n1,x,10,\n2,"y, z",20,4\n', 'a,name,y,b\n3,x,30,5\n'], 'y', false);
    expect(rows).toEqual({ lines: ['10,1,', '20,2,4', '30,3,5'], features: ['a', 'b'], leftOut: ['name'] });
  });

  test('of a second channel has the columns of the first', () => {
    expect(numericRows(['a,b,y\n1,2,3\n4,5,6\n'], 'y', false, ['b']).lines).toEqual(['3,2', '6,5']);
    expect(() => numericRows(['a,b,y\n1,x,3\n4,5,6\n'], 'y', false, ['b'])).toThrow('no numbers in b');
  });

  test.each([
    ['no target', 'a,b\n1,2\n3,4\n', 'is no column of the input'],
    ['no features', 'y,b\n1,x\n3,y\n', 'no column beside the target'],
    ['words for classes', 'y,b\nyes,1\nno,2\n', 'are no numbers'],
    ['classes from one', 'y,b\n1,1\n2,2\n', 'classes have to be the numbers 0 to 1'],
    ['one class', 'y,b\n1,1\n1,2\n', 'one class alone'],
    ['no rows', 'y,b\n', 'has 0 rows'],
  ])('with %s is refused', (_, text, message) => {
    expect(() => numericRows([text], 'y', true)).toThrow(message);
  });

  test('is held out in its share, spread over all rows', () => {
    const lines = Array.from({ length: 10 }, (_, index) => String(index));
    expect(heldOut(lines, 0.2)).toEqual({ train: ['0', '1', '2', '3', '5', '6', '7', '8'], validation: ['4', '9'] });
  });
});
