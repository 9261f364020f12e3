import type { OwnImages } from './images';

export interface SageMakerOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** MiniStack, as http://127.0.0.1:PORT. */
  readonly engineUrl: string;
  /** Shared secret between the plug-in and this service. */
  readonly engineToken: string;
  /** Interpreter of the engine's virtual environment. */
  readonly python: string;
  /** Where container.py lies. */
  readonly runnersDirectory: string;
  /** Job directories are made below and removed with their jobs. */
  readonly workDirectory: string;
  readonly region: string;
  readonly accountId: string;
  /** Factor on time limits for containers to start and end. 1 by default. */
  readonly timeScale?: number;
  /** Factor on waits that a request asks for or that stand for the world outside: deployments, warm pools, missing spot machines. 1 by default. */
  readonly waitScale?: number;
  /** Frameworks that stand in for images of one's own, by repository. */
  readonly images?: OwnImages;
  readonly log?: (line: string) => void;
}
