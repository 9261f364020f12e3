import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { invalid, unsupported } from './errors';

export type Framework = 'xgboost' | 'scikit-learn';

interface Image {
  readonly repository: string;
  readonly framework: Framework;
  /** Distributions that may hold the package, most likely first. */
  readonly packages: readonly string[];
  /** Tag as the registry has it, 3.0-5, with what may follow it. */
  readonly suffixes: RegExp;
  /** Trains and serves without a script too. */
  readonly algorithm?: boolean;
  readonly example: string;
}

const IMAGES: readonly Image[] = [
  {
    repository: 'sagemaker-xgboost',
    framework: 'xgboost',
    packages: ['xgboost_cpu', 'xgboost'],
    suffixes: /^(-cpu(-py\d+)?|-py\d+)?$/,
    algorithm: true,
    example: 'sagemaker-xgboost:3.0-5',
  },
  {
    repository: 'sagemaker-scikit-learn',
    framework: 'scikit-learn',
    packages: ['scikit_learn'],
    suffixes: /^(-py\d+)?(-cpu-py\d+)?$/,
    example: 'sagemaker-scikit-learn:1.4-2-cpu-py3',
  },
];

const XGBOOST_ACCOUNT = '683313688378';

export const FRAMEWORKS: readonly Framework[] = ['xgboost', 'scikit-learn'];

/** What stands in for images of one's own, by repository: one of FRAMEWORKS, or a directory with the image's programs `train` and `serve`. */
export type OwnImages = Readonly<Record<string, string>>;

const OWN_URI = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/([^:@]+)[:@].+$/;
const URI = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/([^:@]+):([^:@]+)$/;

/** Maps ECR image names to what this machine can run in their place: the same framework in exactly the same version. */
export class Images {
  private readonly installed: ReadonlyMap<string, string>;

  constructor(
    python: string,
    private readonly own: OwnImages = {},
  ) {
    this.installed = installedPackages(python);
  }

  /** The XGBoost image that this machine plays, as a region names it; the registry's account is always the one of us-east-1. */
  xgboost(region: string): string {
    const [, version, micro] = /^(\d+\.\d+)\.(\d+)/.exec(this.present(IMAGES[0]) ?? '') ?? [];
    if (version === undefined) throw unsupported('AutoML without XGBoost in its Python');
    return `${XGBOOST_ACCOUNT}.dkr.ecr.${region}.amazonaws.com/${IMAGES[0].repository}:${version}-${micro}`;
  }

  framework(image: string): Framework {
    const mine = this.own[OWN_URI.exec(image)?.[1] ?? ''];
    // Programs of one's own find all that the engine has installed.
    if (mine) return FRAMEWORKS.find((framework) => framework === mine) ?? 'xgboost';
    const byDigest = this.ofDigest(image);
    if (byDigest) return byDigest;
    const [, repository, tag] = URI.exec(image) ?? [];
    const known = IMAGES.find((candidate) => candidate.repository === repository);
    const names = IMAGES.map(({ example }) => `<account>.dkr.ecr.<region>.amazonaws.com/${example}`).join(' and ');
    const [, version, micro, suffix] = /^(\d+\.\d+)-(\d+)(.*)$/.exec(tag ?? '') ?? [];
    if (!known || version === undefined || !known.suffixes.test(suffix)) {
      const own = 'what stands in for an image of yours is named when the engine starts (--image <repository>=<framework or directory>)';
      throw invalid(`The local engine cannot run the image ${image}: it knows ${names}; ${own}`);
    }
    const wanted = `${version}.${micro}`;
    const present = this.present(known);
    if (present !== wanted) {
      throw invalid(
        `The image ${image} holds ${known.framework} ${wanted}, the local engine ${present ?? 'none'}: ` +
          'use the image of that version, or install the other one into the engine',
      );
    }
    return known.framework;
  }

  /** AWS's images have a digest here too: the registry's side of it is in the plug-in. */
  private ofDigest(image: string): Framework | undefined {
    const [, repository, digest] = /\/([^/:@]+)@sha256:([0-9a-f]{64})$/.exec(image) ?? [];
    const known = IMAGES.find((candidate) => candidate.repository === repository);
    if (!known) return undefined;
    if (createHash('sha256').update(`${repository}:${this.present(known)}`).digest('hex') === digest) return known.framework;
    throw invalid(`The image ${image} is not the one of ${known.framework} ${this.present(known)} that the local engine has`);
  }

  private present({ packages }: Image): string | undefined {
    return packages.map((name) => this.installed.get(name)).find(Boolean);
  }
}

/** The program of an image of one's own, where a directory stands in for it. */
export function programOf(own: OwnImages | undefined, image: string, name: 'train' | 'serve'): string | undefined {
  const mine = own?.[OWN_URI.exec(image)?.[1] ?? ''];
  return mine === undefined || FRAMEWORKS.some((framework) => framework === mine) ? undefined : path.join(mine, name);
}

/** Whether AWS's own image holds an algorithm; what stands in for an image of one's own holds none. */
export function hasAlgorithm(image: string, own: OwnImages | undefined): boolean {
  const repository = OWN_URI.exec(image)?.[1] ?? '';
  return own?.[repository] === undefined && IMAGES.some((known) => known.algorithm && known.repository === repository);
}

export function sitePackages(python: string): string[] {
  const lib = path.join(path.dirname(path.dirname(python)), 'lib');
  const versions = existsSync(lib) ? readdirSync(lib).filter((name) => /^python3\.\d+$/.test(name)) : [];
  return versions.map((name) => path.join(lib, name, 'site-packages')).filter((directory) => existsSync(directory));
}

function installedPackages(python: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const directory of sitePackages(python)) {
    for (const entry of readdirSync(directory)) {
      const [, name, version] = /^(.+?)-([^-]+)\.dist-info$/.exec(entry) ?? [];
      if (name) found.set(name.toLowerCase().replace(/[-.]/g, '_'), version);
    }
  }
  return found;
}
