import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Command } from 'commander';
import { ApprovalsApi } from '../../approvals/client';
import { register as registerApprovals } from '../../approvals/list';
import { Platform } from '../../platform';
import { hoursOf } from '../bike-data';
import { DemoClient } from '../client';
import { MODEL } from '../deployed';
import { eventually } from '../runs';
import type { Tell } from './model-desk';
import { answered, check, endOf, type Outcome, type Scene } from './scenario';

const PERSON = 'ana';
const REASON = 'the report is fine, and nothing served before';
/** Scoring, evaluation and registration on a busy machine. */
const UNTIL_ASKED_SECONDS = 120;

/** The platform as a person sees it who took the role. */
const asPerson = async ({ connection, resources, models }: Platform, RoleArn: string): Promise<Platform> => {
  const { Credentials } = await new STSClient(connection).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: PERSON }));
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken } = Credentials ?? {};
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return new Platform({ ...connection, credentials }, resources, models);
};

/** What `mlops approvals` prints. */
const approvals = async (engine: string): Promise<string> => {
  let text = '';
  const program = new Command();
  const io = { environment: {}, isTerminal: false, colours: false, out: (part: string) => void (text += part), err: () => undefined };
  registerApprovals(program, { ...io, stdin: async () => Buffer.alloc(0) });
  await program.parseAsync(['approvals', MODEL, '--local', engine], { from: 'user' });
  return text.trimEnd();
};

export const manualApproval = async ({ stages, desk, hours, platform, engine, outputs }: Scene): Promise<Outcome> => {
  const client = new DemoClient(platform, MODEL);
  const roleArn = outputs.ModelApproverRole;
  const approve = { decision: 'approve', reason: REASON } as const;
  await desk.upload('2011', hoursOf(hours, '2011'));
  const runId = await desk.start('first version from the data of 2011');

  // One follower for all stages: each hears what happens during it.
  let tell: Tell = () => undefined;
  const ended = desk.end(runId, (line) => tell(line));
  // Awaited in the last stage; until then a failure must not count as unhandled.
  ended.catch(() => undefined);
  const waiting = await stages.run('candidate', async (line) => {
    tell = line;
    const pending = eventually('the question', UNTIL_ASKED_SECONDS, async () => (await new ApprovalsApi(platform).pending(MODEL))[0]);
    const early = ended.then((run) => {
      throw new Error(`nobody was asked: ${endOf(run)}`);
    });
    return Promise.race([pending, early]);
  });
  const shown = await stages.run('mlops approvals', async (line) => {
    const text = await approvals(engine.name);
    text.split('\n').forEach(line);
    return text;
  });
  const whileWaiting = { state: (await desk.version(waiting.version)).state, champion: await desk.champion() };
  const refusal = await stages.run('a caller who may not decide', async (line) => {
    const message = await new ApprovalsApi(platform).decide(MODEL, waiting.version, approve).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    line(message ?? 'was not refused');
    return message;
  });
  const person = await asPerson(platform, roleArn);
  const decision = await stages.run(`${PERSON} approves`, async (line) => {
    const answer = await new ApprovalsApi(person).decide(MODEL, waiting.version, approve);
    line(`${answer.outcome} by ${answer.by}`);
    return answer;
  });
  const run = await stages.run('release', (line) => {
    tell = line;
    return ended;
  });

  const day = hoursOf(hours, '2012-01-01');
  const predictions = await client.predict(day);
  const version = await desk.version(waiting.version);
  const champion = await desk.champion();
  const approved = (await platform.registry.history(MODEL)).findLast(({ action }) => action === 'Approved');
  const session = `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${PERSON}`;
  return {
    checks: [
      check(
        'the version waits and nothing serves meanwhile',
        whileWaiting.state === 'PendingApproval' && whileWaiting.champion === undefined,
        `v${waiting.version}: ${whileWaiting.state}, champion: ${whileWaiting.champion ?? 'none'}`,
      ),
      check('`mlops approvals` shows it, with the gate\'s reason', shown.includes(`mlops approve ${MODEL} ${waiting.version}`), waiting.reason),
      check('a caller who is no approver is refused', refusal !== undefined, refusal),
      check('the session that AWS knows decides', decision.by === session, `${decision.outcome} by ${decision.by}`),
      check('the history names it', approved?.actor === session && approved.reason === REASON, `${approved?.actor}: ${approved?.reason}`),
      check('the run goes on and promotes', run.outcome === 'promoted', endOf(run)),
      check('the version serves', version.state === 'Production' && champion === waiting.version, `v${version.version}: ${version.state}`),
      answered(client, day, predictions),
    ],
    figures: [],
    files: [],
    requests: { sent: client.requests, failed: client.failures },
  };
};
