import { jobFaultOf, strike } from '../../../local/sagemaker/job-faults';

describe('faults of jobs', () => {
  afterEach(() => jest.useRealTimers());

  test('come with the request; an error that came this far refuses it', () => {
    expect(jobFaultOf(undefined)).toBeUndefined();
    expect(jobFaultOf('{"kind":"stop"}')).toEqual({ kind: 'stop', afterSeconds: 0 });
    expect(() => jobFaultOf('{"kind":"error","error":"ResourceLimitExceeded","message":"none left"}')).toThrow(
      expect.objectContaining({ type: 'ResourceLimitExceeded', message: 'none left', status: 400 }),
    );
  });

  test('strike after their time, unless the work is over before', () => {
    jest.useFakeTimers();
    const kill = jest.fn();
    strike({ kind: 'kill', afterSeconds: 0 }, { kill });
    expect(kill).toHaveBeenCalledTimes(1);
    strike({ kind: 'kill', afterSeconds: 2 }, { kill });
    jest.advanceTimersByTime(1999);
    expect(kill).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1);
    expect(kill).toHaveBeenCalledTimes(2);
    strike({ kind: 'kill', afterSeconds: 2 }, { kill })();
    strike({ kind: 'stop', afterSeconds: 0 }, { kill })();
    jest.advanceTimersByTime(5000);
    expect(kill).toHaveBeenCalledTimes(2);
  });

  test('strike after the first checkpoint, never without one nor when the work is over', async () => {
    const kill = jest.fn();
    const fault = { kind: 'kill', afterSeconds: 0, afterCheckpoint: true } as const;
    strike(fault, { kill });
    strike(fault, { kill }, Promise.resolve())();
    await Promise.resolve();
    expect(kill).not.toHaveBeenCalled();
    strike(fault, { kill }, Promise.resolve());
    await Promise.resolve();
    expect(kill).toHaveBeenCalledTimes(1);
  });
});
