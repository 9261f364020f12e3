import * as z from 'zod';
import { VersionRecord } from '../../lib/registry/contract';
import { RegistryWrites } from './registry-writes';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Methods that the writer function carries out, and what their arguments must look like. */
const text = z.string();
const name = z.string();
const version = z.number().int().positive();
/** Pairs become own properties whatever their names are. */
const tags = z.custom<Record<string, string>>(
  (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string'),
  'tags must be texts by their keys',
);
const change = z.object({ actor: text.min(1).max(2_048), reason: text, evidenceUri: text.max(2_048).optional() });
const state = z.enum(['Incomplete', 'PendingApproval', 'Approved', 'Rejected', 'Production', 'Archived']);
const rule = z.object({ state, person: z.boolean().optional(), twoPerson: z.boolean().optional(), evidence: z.boolean().optional() });
const rules = z.array(rule).max(20);
const record = z.custom<Partial<VersionRecord>>(isObject, 'record must be an object');
const newVersion = z.object({
  source: text,
  runId: text.optional(),
  runLink: text.optional(),
  loggedModelId: text.max(500).optional(),
  description: text.optional(),
  tags: tags.optional(),
  record: record.optional(),
});
const owner = text.max(256).optional();

export const WRITES = {
  createModel: z.tuple([z.object({ name, description: text.optional(), owner, tags: tags.optional() }), change]),
  updateModel: z.tuple([name, z.object({ description: text.optional(), owner, rules: rules.optional() }), change]),
  renameModel: z.tuple([name, name, change]),
  deleteModel: z.tuple([name, change]),
  setModelTag: z.tuple([name, text, text, change]),
  deleteModelTag: z.tuple([name, text, change]),
  createVersion: z.tuple([name, newVersion, change]),
  registerVersion: z.tuple([z.object({ name, owner, rules: rules.optional() }), newVersion.required({ runId: true }), change]),
  updateVersion: z.tuple([name, version, z.object({ description: text.optional() }), change]),
  deleteVersion: z.tuple([name, version, change]),
  setVersionTag: z.tuple([name, version, text, text, change]),
  deleteVersionTag: z.tuple([name, version, text, change]),
  setAlias: z.tuple([name, text, version, change]),
  deleteAlias: z.tuple([name, text, change]),
  setStage: z.tuple([name, version, z.enum(['None', 'Staging', 'Production', 'Archived']), z.boolean(), change]),
  transition: z.tuple([name, version, state, change.extend({ expectedState: state.optional(), expectedRound: z.number().int().min(0).optional() })]),
  askApproval: z.tuple([name, version, z.object({ round: z.number().int().min(0), startedBy: text.min(1).max(2_048).nullable() }), change]),
  promote: z.tuple([name, version, change.extend({ expectedChampion: version.nullish(), rollback: z.boolean().optional() })]),
} satisfies Record<keyof RegistryWrites, z.ZodType>;

export type WriteMethod = keyof RegistryWrites;

export interface WriteRequest {
  readonly method: WriteMethod;
  readonly args: readonly unknown[];
}

/** What the function answers: what the registry refuses is an answer with the error's name, so that the function's errors are faults alone. */
export type WriteAnswer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly name: string; readonly message: string };
