export { directionOf } from './directions';
export { judgeGroups, type GroupsInput, type GroupsSpec } from './groups';
export { holdoutQuality } from './holdout';
export { judgeQuality, type QualityInput, type QualitySpec } from './judge';
export { LabelJoin, type JoinSpec } from './join';
export { Labels } from './labels';
export { decodeScored, ScoredEncoder } from './scored';
export { dayOf, QualityTable } from './table';
export type { AnsweredRow, LabelledRow, ScoredRow } from './types';
