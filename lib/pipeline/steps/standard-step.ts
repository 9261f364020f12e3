/** Steps of the standard pipeline, in their order. */
export enum StandardStep {
  /** Validates the data and keeps the holdout out of training. */
  PREPARE_DATA = 'PREPARE_DATA',
  /** Trains or tunes; leaves `$.trainingJob`. */
  TRAIN = 'TRAIN',
  /** Candidate and champion score the holdout as they serve; leaves `$.scoring` and the scores' files. */
  SCORE_HOLDOUT = 'SCORE_HOLDOUT',
  /** Judges candidate and champion: the gate. Leaves `$.evaluation`; a rebuild is compared with its record after it, and ends. */
  EVALUATE = 'EVALUATE',
  /** What the version is watched against; leaves `$.baseline`. */
  BASELINE = 'BASELINE',
  /** Puts the version on record; leaves `$.registered`. */
  REGISTER = 'REGISTER',
  /** By policy or by people; only where the gate has passed. */
  APPROVE = 'APPROVE',
  /** Moves the endpoint to the version; leaves `$.release`. */
  RELEASE = 'RELEASE',
  /** Moves the champion pointer to the version. */
  PROMOTE = 'PROMOTE',
}
