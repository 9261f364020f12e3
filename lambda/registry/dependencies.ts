import { createHash } from 'node:crypto';
import type { DependencyLock } from '../../lib/registry/contract';

/** Files of a code archive that pin what it needs, the most exact first. */
export const REQUIREMENT_FILES = ['requirements.lock', 'requirements.txt'] as const;

/** A list of requirements is a page of text; more is something else. */
export const LARGEST_REQUIREMENTS = 1024 * 1024;

export interface ImageOfFramework {
  readonly framework: 'xgboost' | 'scikit-learn' | 'other';
  /** Package and version that the image's tag promises. */
  readonly pinned?: string;
}

const FRAMEWORKS: readonly { readonly repository: RegExp; readonly framework: 'xgboost' | 'scikit-learn'; readonly distribution: string }[] = [
  { repository: /\/sagemaker-xgboost$/, framework: 'xgboost', distribution: 'xgboost' },
  { repository: /\/sagemaker-scikit-learn$/, framework: 'scikit-learn', distribution: 'scikit-learn' },
];

/** AWS tags its framework images `<major>.<minor>-<micro>` with what follows. */
export const frameworkOf = (image: string): ImageOfFramework => {
  const [, repository = image, tag = ''] = /^([^:@]+(?::\d+(?=\/)[^:@]*)?)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  const known = FRAMEWORKS.find((candidate) => candidate.repository.test(`/${repository}`));
  if (!known) return { framework: 'other' };
  const [, version, micro] = /^(\d+\.\d+)-(\d+)/.exec(tag) ?? [];
  return { framework: known.framework, ...(version === undefined ? {} : { pinned: `${known.distribution}==${version}.${micro}` }) };
};

/** Lines of a requirements file that ask for something, without comments. */
export const requirementLines = (text: string): string[] =>
  text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');

/** Lines that leave the version open: another day they may mean another package. */
export const openRequirements = (lines: readonly string[]): string[] =>
  lines.filter((line) => !line.startsWith('--') && !/(===?\s*[\w.!+-]+\s*($|[;\s])|@\s*\S+|^-)/.test(line));

export interface Dependencies {
  readonly text: string;
  /** Requirements that pip understands: what the code brings on top of the image, else what the image's tag promises. */
  readonly requirements: readonly string[];
  readonly lock: Omit<DependencyLock, 'uri'>;
}

/**
 * What the code needs: its own list where it has one, on top of the image. Which packages an image holds only its digest fixes; what its tag
 * promises is listed, and the image named.
 */
export const dependenciesOf = (image: string, imageDigest: string | undefined, requirements: string | undefined): Dependencies => {
  const { pinned } = frameworkOf(image);
  const own = requirements === undefined ? [] : requirementLines(requirements);
  const open = openRequirements(own);
  const lines = [...(pinned === undefined ? [] : [pinned]), ...own];
  const digest = imageDigest ?? 'not told by its registry';
  const text = [`# image: ${image}`, `# image digest: ${digest}`, ...lines, ''].join('\n');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const origin = own.length > 0 ? 'requirements' : 'image';
  return { text, requirements: lines, lock: { sha256, origin, ...(open.length > 0 ? { open } : {}) } };
};
