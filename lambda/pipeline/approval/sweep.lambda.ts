import { createLogger } from '../../common/logger';
import { ApprovalsClient } from './approvals.client';
import { createApprovals } from './ports';

const logger = createLogger('sweep-approvals');
const approvals = createApprovals();
const store = new ApprovalsClient();

/**
 * Does for every open question what is due: tells runs what was decided, rejects what expired, lets go of what nobody waits for, reminds. One that
 * fails does not keep the others waiting; the next sweep tries it again.
 */
export const handler = async (): Promise<{ readonly open: number }> => {
  let open = 0;
  const failed: string[] = [];
  for await (const question of store.open()) {
    const { model, version, round } = question;
    try {
      const { status } = await approvals.tend(question);
      if (status === 'waiting') open += 1;
      else logger.info('question closed', { model, version, round, status });
    } catch (error) {
      const { name, message } = error as Error;
      failed.push(`${model} v${version}: ${name} ${message}`);
      logger.error('question not tended', { model, version, round, error: name });
    }
  }
  if (failed.length > 0) throw new Error(`approvals that could not be tended: ${failed.join('; ')}`);
  return { open };
};
