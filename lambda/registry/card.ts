import { Eta } from 'eta';
import { CARD_TAGS, type Traced, type VersionDocument } from './card-document';
import { CARD_TEMPLATE } from './card-template';

const eta = new Eta({ autoEscape: false, autoTrim: false });

/** Model card in Markdown: what the record knows, what people said in tags, and by name what nobody has said. */
export const modelCard = (document: VersionDocument): string =>
  `${eta
    .renderString(CARD_TEMPLATE, { ...viewOf(document), text: (section: Section) => textOf(document, section) })
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;

type Section = keyof typeof CARD_TAGS;

const viewOf = (document: VersionDocument) => {
  const { model, version, card } = document;
  const lacks = version.missing.length > 0 ? ` (its record lacks ${version.missing.join(', ')})` : '';
  return {
    title: `${line(model.name)} version ${version.version}`,
    overview: facts({
      state: version.state + lacks,
      owner: model.owner ?? 'nobody is named',
      contact: card.contact,
      registered: version.createdAt + (version.createdBy ? ` by ${version.createdBy}` : ''),
      aliases: version.aliases.join(', '),
      'risk rating': card.riskRating ?? 'not rated',
      platform: document.platform,
    }),
    description: plain(version.description ?? model.description ?? '') || empty('neither version nor model has a description'),
    schema: schemaOf(document),
    data: dataOf(document),
    metrics: metricsOf(document),
    gate: version.gate ? `Gate ${version.gate.passed ? 'passed' : 'not passed'}: ${line(version.gate.reason)}.` : '',
    groupMetrics:
      rows(
        ['metric', 'column', 'group', 'value'],
        document.groupMetrics.map(({ metric, column, group, value }) => [metric, column, group, number(value)]),
      ) || empty('no metric by group is on record (they are named `<metric>/<column>:<group>`)'),
    origin: originOf(document),
    hyperparameters:
      rows(['name', 'value'], Object.entries(version.hyperparameters ?? {}).filter(([name]) => !name.startsWith('sagemaker_'))) ||
      empty('no hyperparameter is on record'),
    decisions:
      rows(
        ['when', 'decision', 'by', 'reason', 'evidence'],
        document.decisions.map(({ at, action, actor, reason, evidenceUri }) => [at, action, actor, reason, evidenceUri]),
      ) || empty('nobody has decided on this version'),
    served: rows(['served from', 'to'], document.served.map(({ from, to }) => [from, to ?? 'now'])) || 'This version has never served.',
    madeFrom: tree(document.lineage.madeFrom) || empty('nothing on record'),
    wentTo: tree(document.lineage.wentTo) || empty('nothing on record'),
  };
};

const schemaOf = ({ version: { schema } }: VersionDocument): string => {
  if (!schema) return empty('no schema is on record');
  const columns = schema.columns.map(({ name, type }) => [name, type]);
  return `Predicts ${code(schema.target)} from ${columns.length} columns:\n\n${rows(['column', 'type'], columns)}`;
};

const dataOf = ({ version, data }: VersionDocument): string => {
  if (version.dataId === undefined) return empty('no data are on record');
  const where = `Data id ${code(version.dataId)}, manifest ${code(version.dataManifestUri ?? '–')}.`;
  if (!data) return where;
  const parts = rows(
    ['', 'rows', 'from', 'to'],
    Object.entries({ training: data.train, holdout: data.holdout }).map(([name, part]) => [name, part.rows, part.from, part.to]),
  );
  return `${parts}\n\n${data.files.length} files, ${data.rows} rows, ${data.quarantinedRows} set aside. ${where}`;
};

const metricsOf = ({ version, gateReport }: VersionDocument): string => {
  const champion = gateReport?.championMetrics ?? {};
  const all = Object.entries(version.metrics ?? {}).filter(([name]) => !name.includes('/'));
  const shown = all.map(([name, value]) => [name, number(value), champion[name] === undefined ? undefined : number(champion[name])]);
  return rows(['metric', 'this version', 'champion at that time'], shown) || empty('no metric is on record');
};

const originOf = ({ version, run }: VersionDocument): string => {
  const { code: training, inferenceCode, dependencies, artifact, image } = version;
  const list = dependencies?.origin === 'image' ? 'the image’s own' : 'a list of the code on top of the image';
  return facts({
    cause: version.cause,
    run: version.runId,
    'cost of the run': run?.costUsd === undefined ? undefined : `${number(run.costUsd)} US dollars for its jobs`,
    'training code': training && `${training.uri} (${training.entryPoint}, sha256 ${training.sha256})`,
    commit: training?.commit && `${training.commit}${training.dirty ? ', with changes that it does not hold' : ''}`,
    'inference code': inferenceCode && `${inferenceCode.uri} (${inferenceCode.entryPoint}, sha256 ${inferenceCode.sha256})`,
    dependencies: dependencies && `${dependencies.uri} (${list})`,
    image,
    'image digest': version.imageDigest ?? (image && 'not told by its registry'),
    configuration: version.configuration?.uri,
    artifact: artifact && `${artifact.uri}${artifact.versionId ? ` (object version ${artifact.versionId})` : ''}`,
    'artifact sha256': artifact?.sha256,
  });
};

/** The text of a section, or that it is empty and how to fill it. */
const textOf = ({ card }: VersionDocument, section: Section): string =>
  plain(card[section] ?? '') || empty(`set the tag \`${CARD_TAGS[section]}\` on the version or the model`);

const empty = (why: string): string => `_Empty: ${why}._`;

/** What people typed must not become headings or HTML of the card. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll('<', '&lt;')
    .replace(/^(\s*)([#>])/gm, '$1\\$2');

const line = (value: unknown): string =>
  value === undefined || value === null || value === '' ? '–' : plain(String(value)).replace(/\s*\n\s*/g, ' ');

const code = (text: string): string => `\`${text.replaceAll('`', '')}\``;

const number = (value: number): string => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6))));

/** Empty text where there is no row. */
const rows = (head: readonly string[], body: readonly (readonly unknown[])[]): string =>
  body.length === 0
    ? ''
    : [head.map((name) => name || ' '), head.map(() => '---'), ...body.map((row) => row.map((value) => line(value).replaceAll('|', '\\|')))]
        .map((row) => `| ${row.join(' | ')} |`)
        .join('\n');

const facts = (values: Readonly<Record<string, unknown>>): string => rows(['', ''], Object.entries(values));

const tree = (traced: readonly Traced[], indent = ''): string =>
  traced.map(({ node, at, next }) => `${indent}- ${node.kind} ${code(node.id)} (${at})\n${tree(next, `${indent}  `)}`).join('');
