import { datasetPrefix } from '../../lib/artifacts/contract';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import { type DatasetViolation, RowChecker, type RowFinding } from '../monitoring/constraints/check-rows';
import type { ChosenConstraints } from './constraint-source';
import { dataInvalid } from './data-invalid';
import type { RowJudge } from './data-reader';

/** `data-quality.json` of a run: what its data broke. */
export interface QualityReport {
  readonly schemaVersion: 1;
  readonly source: string;
  readonly versionId?: string;
  readonly rows: number;
  /** Rows that were set aside because of a constraint. */
  readonly quarantinedRows: number;
  readonly violations: readonly DatasetViolation[];
}

/** Checks the data of one run against its constraints, all files together. */
export class DataQuality {
  private checker?: RowChecker;
  private rows = 0;
  private setAside = 0;

  constructor(
    private readonly chosen: ChosenConstraints,
    private readonly spec: Pick<PipelineSpec, 'model' | 'task'>,
  ) {}

  /** A row that breaks a rule of severity error is set aside. */
  readonly judge: RowJudge = (columns, record, where) => {
    this.checker ??= new RowChecker(this.chosen.file, columns);
    this.rows += 1;
    const errors = this.checker.check(record, where).filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return undefined;
    this.setAside += 1;
    return { rule: errors.map(({ rule }) => rule).join('; '), samples: samplesOf(errors) };
  };

  /** @param now when the run started; absent in a rebuild, whose data is as old as it is */
  report(newestRow: number | undefined, now: number | undefined): QualityReport {
    const { source, versionId } = this.chosen;
    const violations = this.checker?.finish({ tolerated: [this.spec.task.target], newestRow, now }) ?? [];
    const about = { source, ...(versionId !== undefined && { versionId }) };
    return { schemaVersion: 1, ...about, rows: this.rows, quarantinedRows: this.setAside, violations };
  }

  /** Stops the run where a rule of severity error is broken by the data as a whole. */
  requireKept({ violations, source }: QualityReport, reportUri: string): void {
    const errors = violations.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return;
    const [first] = errors;
    const where = first.first ?? datasetPrefix(this.spec.model);
    const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more, see ${reportUri})`;
    throw dataInvalid(
      where,
      `${first.description.replace(/\.$/, '')}${more}`,
      `correct the data, or the constraints (${source}) with \`mlops constraints put ${this.spec.model} FILE\``,
    );
  }
}

const samplesOf = (findings: readonly RowFinding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ column, sample }) => [column, sample]));
