import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { modeOf } from '../../../local/sagemaker/algorithm';
import { Images } from '../../../local/sagemaker/images';

const uri = (name: string) => `123456789012.dkr.ecr.us-east-1.amazonaws.com/${name}`;

describe('images', () => {
  let root: string;
  const python = () => path.join(root, 'bin', 'python');
  beforeAll(() => {
    root = mkdtempSync(path.join(os.tmpdir(), 'mlops-images-'));
    mkdirSync(path.join(root, 'lib/python3.11/site-packages/xgboost_cpu-3.0.5.dist-info'), { recursive: true });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test('of the frameworks run in the version that is installed', () => {
    const images = new Images(python());
    expect(images.framework(uri('sagemaker-xgboost:3.0-5'))).toBe('xgboost');
    expect(() => images.framework(uri('sagemaker-xgboost:1.7-1'))).toThrow(/holds xgboost 1.7.1, the local engine 3.0.5/);
  });

  test('of the frameworks have a digest, which another version does not have', () => {
    const images = new Images(python());
    const digest = createHash('sha256').update('sagemaker-xgboost:3.0.5').digest('hex');
    expect(images.framework(uri(`sagemaker-xgboost@sha256:${digest}`))).toBe('xgboost');
    expect(() => images.framework(uri(`sagemaker-xgboost@sha256:${'0'.repeat(64)}`))).toThrow(/is not the one of xgboost 3.0.5/);
  });

  test('of one’s own are played by the framework that is named for them, by tag and by digest', () => {
    const images = new Images(python(), { 'team/train': 'xgboost' });
    expect(images.framework(uri('team/train:7'))).toBe('xgboost');
    expect(images.framework(uri(`team/train@sha256:${'0'.repeat(64)}`))).toBe('xgboost');
    expect(() => images.framework(uri('team/other:7'))).toThrow(/cannot run the image .*team\/other:7.*--image/);
  });

  test('without a script run the algorithm that they hold, which what stands in for an image of one’s own does not', () => {
    const xgboost = uri('sagemaker-xgboost:3.0-5');
    expect(modeOf(xgboost, undefined, {}, 'train')).toBe('algorithm');
    expect(modeOf(xgboost, 'train.py', {}, 'train')).toBe('script');
    expect(modeOf(uri('sagemaker-scikit-learn:1.4-2-cpu-py3'), undefined, {}, 'serve')).toBe('script');
    expect(modeOf(uri('team/train:7'), undefined, { 'team/train': 'xgboost' }, 'train')).toBe('script');
    expect(modeOf(uri('team/train:7'), undefined, { 'team/train': '/opt/image' }, 'serve')).toBe('program');
  });
});
