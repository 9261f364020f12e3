import { DeployError, tellingLines } from '../../local/deploy';

describe('a failed deployment', () => {
  test('is told by the resources that failed, each once', () => {
    const lines = [
      'Try: deploying... [1/1]',
      "Try | 2/6 | CREATE_FAILED | AWS::S3::Bucket | B (B08E) Bucket 'x' exists",
      "Try | 2/6 | CREATE_FAILED | AWS::S3::Bucket | B (B08E) Bucket 'x' exists",
      '    at Object.deploy (/x/cli.js:1:1) Error: inner',
      '❌  Try failed: ToolkitError: ROLLBACK_COMPLETE',
    ];
    expect(tellingLines(lines, 'exit code 1')).toEqual([lines[1], lines[4]]);
  });

  test('is not told by resources that went well and are called after a failure', () => {
    const lines = ['Try | 2/6 | CREATE_COMPLETE | AWS::CloudWatch::Alarm | PipelineFailed (P1)', 'Template may not exceed 1000000 bytes in size.'];
    expect(tellingLines(lines, 'exit code 1')).toEqual(lines);
    const failing = "Try | 3/6 | CREATE_FAILED | AWS::S3::Bucket | B (B08E) Bucket 'x' exists";
    expect(tellingLines([...lines, failing], 'exit code 1')).toEqual([failing]);
  });

  test('is told by its last lines where none names a failure', () => {
    expect(tellingLines(['one', 'two'], 'exit code 1')).toEqual(['one', 'two']);
    expect(tellingLines([], 'ended by SIGKILL')).toEqual(['ended by SIGKILL']);
  });

  test('names its stage', () => {
    expect(new DeployError('bootstrap', ['why'], 'what to do').message).toBe('cdk bootstrap failed\n  why\n: what to do');
  });
});
