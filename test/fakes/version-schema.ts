import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

const PUBLISHED = path.resolve(__dirname, '../../docs/schemas/model-version.schema.json');

/** The same schema for a program that knows every field: what is open for later versions of the document is closed. */
const closed = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const isOpen = (name: string, part: unknown): boolean => name === 'additionalProperties' && part === true;
  return Object.fromEntries(Object.entries(schema).map(([name, part]): [string, unknown] => [name, isOpen(name, part) ? false : closed(part)]));
};

const ajv = new Ajv2020({ allErrors: true, strict: true });
addFormats(ajv);
const published = JSON.parse(readFileSync(PUBLISHED, 'utf8')) as { readonly $id: string };
const asPublished = ajv.compile(published);
const asClosed = ajv.compile({ ...(closed(published) as object), $id: published.$id.replace('schema.json', 'closed.json') });

const problems = (validate: typeof asPublished, document: unknown): string[] => {
  const isValid = validate(JSON.parse(JSON.stringify(document)));
  return isValid ? [] : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
};

/** What an exported version has that its published schema does not allow. */
export const schemaProblems = (document: unknown): string[] => problems(asPublished, document);

/** The same, and every field that the schema does not name. */
export const unknownFields = (document: unknown): string[] => problems(asClosed, document);
