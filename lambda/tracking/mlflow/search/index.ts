export type { Budget } from './page';
export { searchExperiments, type ExperimentSource } from './search-experiments';
export { searchLoggedModels, type LoggedModelSource } from './search-logged-models';
export { searchModelVersions, searchRegisteredModels, type RegistrySource } from './search-registry';
export { searchRuns, type RunSource } from './search-runs';
