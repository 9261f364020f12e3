import * as z from 'zod';
import { type ModelVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import { championToBeat } from '../pipeline/champion-to-beat';
import { inRound } from '../pipeline/job-names';

/** A candidate that finds another champion each time it has been judged is given up: somebody promotes faster than it can be judged. */
const MOST_ROUNDS = 5;

/** What a round changes; everything else of PreparedData is handed on as it came. */
const Prepared = z.looseObject({
  jobNameBase: z.string().min(2),
  round: z.number().int().nonnegative(),
  candidateScoresUri: z.string().startsWith('s3://'),
  championScoresUri: z.string().startsWith('s3://'),
});

/** What the run goes back to the holdout with: the champion that serves now, and names that no round before has taken. */
export const nextRound = (given: unknown, champion: ModelVersion | undefined): Record<string, unknown> => {
  const prepared = Prepared.parse(given);
  const round = prepared.round + 1;
  if (round > MOST_ROUNDS) {
    const message = `the candidate was judged against ${round} champions, and each time another one served by then: the endpoint was left as it is`;
    throw new NamedError(REGISTRY_ERRORS.conflict, message);
  }
  const against = championToBeat(champion);
  return {
    ...prepared,
    round,
    jobNameBase: inRound(prepared.jobNameBase, round),
    candidateScoresUri: scoresIn(prepared.candidateScoresUri, round),
    championScoresUri: scoresIn(prepared.championScoresUri, round),
    champion: against,
  };
};

/** `…/scores/candidate` becomes `…/scores/round-1/candidate`: what a verdict was based on stays. */
const scoresIn = (uri: string, round: number): string => uri.replace(/\/(?:round-\d+\/)?([^/]+)\/?$/, `/round-${round}/$1`);
