import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { Validator } from '../common/validation';
import { Framework } from './framework';

/** Image that a job runs. */
export class JobImage {
  /** One of SageMaker's framework images. */
  public static fromFramework(framework: Framework): JobImage {
    return new JobImage(framework);
  }

  /**
   * An image of yours.
   *
   * Fails at synth if tagOrDigest is empty.
   *
   * @param repository its repository; one of another account has to let this account pull
   * @param tagOrDigest tag, or `sha256:` with a digest, which never means another image
   */
  public static fromRepository(repository: ecr.IRepository, tagOrDigest: string): JobImage {
    new Validator('JobImage.fromRepository').filled('tagOrDigest', tagOrDigest, 'name the tag or the digest of the image').throwIfAny();
    return new JobImage(undefined, repository, tagOrDigest);
  }

  private constructor(
    private readonly framework?: Framework,
    private readonly repository?: ecr.IRepository,
    private readonly tagOrDigest?: string,
  ) {}

  /** @internal */
  public _uri(scope: Construct): string {
    return this.framework?._image(scope) ?? this.repository!.repositoryUriForTagOrDigest(this.tagOrDigest!);
  }

  /** @internal */
  public _grantPull(scope: Construct, role: iam.Role): void {
    this.framework?._grantPull(scope, role);
    this.repository?.grantPull(role);
  }

  /** @internal */
  public _grantDigest(scope: Construct, grantee: iam.IGrantable): void {
    this.framework?._grantDigest(scope, grantee);
    this.repository?.grant(grantee, 'ecr:BatchGetImage');
  }
}
