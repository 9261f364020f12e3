import type { PreparedData } from '../../lib/pipeline/contract';
import type { ModelVersion } from '../../lib/registry/contract';

/** What a candidate has to beat: every field is there, since a state machine's paths fail on what is absent. */
export const championToBeat = (champion: ModelVersion | undefined): PreparedData['champion'] => ({
  present: champion !== undefined,
  version: champion?.version ?? null,
  image: champion?.image ?? null,
  modelDataUrl: champion?.artifact?.uri ?? null,
  codeUri: champion?.code?.uri ?? null,
  entryPoint: champion?.code?.entryPoint ?? null,
  manifestUri: champion?.dataManifestUri ?? null,
});
