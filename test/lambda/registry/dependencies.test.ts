import { dependenciesOf, frameworkOf, openRequirements, requirementLines } from '../../../lambda/registry/dependencies';

const XGBOOST = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  [XGBOOST, { framework: 'xgboost', pinned: 'xgboost==3.0.5' }],
  [`${XGBOOST}@${DIGEST}`, { framework: 'xgboost', pinned: 'xgboost==3.0.5' }],
  ['1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3', { framework: 'scikit-learn', pinned: 'scikit-learn==1.4.2' }],
  [`683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost@${DIGEST}`, { framework: 'xgboost' }],
  ['localhost:5000/own/image:1.0-1', { framework: 'other' }],
  ['sagemaker-xgboost:latest', { framework: 'xgboost' }],
])('%s promises what its tag says', (image, promised) => {
  expect(frameworkOf(image)).toEqual(promised);
});

test('the list of the code stands on top of what the image promises', () => {
  const { text, requirements, lock } = dependenciesOf(XGBOOST, DIGEST, '# ours\nholidays==0.50  # days off\n\nnumpy>=2\n');
  expect(requirements).toEqual(['xgboost==3.0.5', 'holidays==0.50', 'numpy>=2']);
  expect(text).toBe(`# image: ${XGBOOST}\n# image digest: ${DIGEST}\nxgboost==3.0.5\nholidays==0.50\nnumpy>=2\n`);
  expect(lock).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), origin: 'requirements', open: ['numpy>=2'] });
});

test('without a list of its own the image is the list, and a digest that nobody told is said to be unknown', () => {
  const { text, lock } = dependenciesOf(XGBOOST, undefined, '# nothing\n');
  expect(lock.origin).toBe('image');
  expect(text).toContain('# image digest: not told by its registry\n');
});

test('only an exact version closes a requirement', () => {
  const lines = requirementLines('a==1.0\nb===1\nc[extra]==2; python_version > "3"\nd~=1.0\ne\nf @ https://x/f.whl\n--index-url https://x\n-e ./g\nh \\\n  ==3\n');
  expect(openRequirements(lines)).toEqual(['d~=1.0', 'e']);
});
