import { ServiceError, invalid } from './errors';
import type { ServiceModel, Shape } from './service-model';

interface Findings {
  readonly violations: string[];
  readonly unknown: string[];
}

const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);
const patterns = new Map<string, RegExp | undefined>();

/** Checks a request against the real service's model: what AWS would reject is rejected here, in its words. */
export class Validator {
  constructor(private readonly model: ServiceModel) {}

  check(operation: string, input: unknown): void {
    const shape = this.model.operations.get(operation);
    if (!shape) return;
    const found: Findings = { violations: [], unknown: [] };
    this.visit(shape, input, '', found);
    if (found.unknown.length > 0) {
      throw new ServiceError(
        'EngineUnknownField',
        `The local engine refuses fields that ${operation} does not have: ${found.unknown.join(', ')} (SageMaker would ignore them silently)`,
      );
    }
    if (found.violations.length > 0) {
      const count = found.violations.length;
      throw invalid(`${count} validation error${count > 1 ? 's' : ''} detected: ${found.violations.join('; ')}`);
    }
  }

  private visit(name: string, value: unknown, at: string, found: Findings): void {
    const shape = this.model.shapes[name];
    switch (shape.type) {
      case 'structure':
        return this.structure(shape, asRecord(value, at), at, found);
      case 'map':
        return this.map(shape, asRecord(value, at), at, found);
      case 'list':
        return this.list(shape, value, at, found);
      case 'string':
        return text(shape, value, at, found);
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
        return number(shape, value, at, found);
      case 'boolean':
        if (typeof value !== 'boolean') throw wrongType(value, 'a Boolean', at);
        return undefined;
      case 'timestamp':
        if (typeof value !== 'number' && (typeof value !== 'string' || Number.isNaN(Date.parse(value)))) throw wrongType(value, 'a Timestamp', at);
        return undefined;
      default:
        return undefined;
    }
  }

  private structure(shape: Shape, value: Record<string, unknown>, at: string, found: Findings): void {
    for (const required of shape.required ?? []) {
      if (value[required] === undefined || value[required] === null) {
        found.violations.push(`Value null at '${inside(at, required)}' failed to satisfy constraint: Member must not be null`);
      }
    }
    for (const [field, inner] of Object.entries(value)) {
      const member = shape.members?.[field];
      if (!member) found.unknown.push(at ? `${field} in ${at}` : field);
      else if (inner !== null && inner !== undefined) this.visit(member.shape, inner, inside(at, field), found);
    }
  }

  private map(shape: Shape, value: Record<string, unknown>, at: string, found: Findings): void {
    size(shape, Object.keys(value).length, value, at, found);
    for (const [key, inner] of Object.entries(value)) {
      const own: Findings = { violations: [], unknown: found.unknown };
      this.visit(shape.key!.shape, key, at, own);
      for (const violation of own.violations) found.violations.push(mapped('keys', violation, at));
      own.violations.length = 0;
      this.visit(shape.value!.shape, inner, at, own);
      for (const violation of own.violations) found.violations.push(mapped('value', violation, at));
    }
  }

  private list(shape: Shape, value: unknown, at: string, found: Findings): void {
    if (!Array.isArray(value)) throw wrongType(value, 'a List', at);
    size(shape, value.length, value, at, found);
    value.forEach((inner, index) => this.visit(shape.member!.shape, inner, `${at}.${index + 1}.member`, found));
  }
}

const inside = (at: string, field: string) => (at ? `${at}.${lowerFirst(field)}` : lowerFirst(field));

const mapped = (part: string, violation: string, at: string) =>
  `Value at '${at}' failed to satisfy constraint: Map ${part} must satisfy constraint: [${violation.split('constraint: ').pop()}]`;

function violate(found: Findings, value: unknown, at: string, constraint: string): void {
  const shown = typeof value === 'object' ? JSON.stringify(value) : String(value);
  found.violations.push(`Value '${shown}' at '${at}' failed to satisfy constraint: ${constraint}`);
}

function size(shape: Shape, length: number, value: unknown, at: string, found: Findings): void {
  if (shape.min !== undefined && length < shape.min) violate(found, value, at, `Member must have length greater than or equal to ${shape.min}`);
  if (shape.max !== undefined && length > shape.max) violate(found, value, at, `Member must have length less than or equal to ${shape.max}`);
}

function text(shape: Shape, value: unknown, at: string, found: Findings): void {
  if (typeof value !== 'string') throw wrongType(value, 'a String', at);
  size(shape, value.length, value, at, found);
  if (shape.enum && !shape.enum.includes(value)) violate(found, value, at, `Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  if (shape.pattern && !(compiled(shape.pattern)?.test(value) ?? true)) {
    violate(found, value, at, `Member must satisfy regular expression pattern: ${shape.pattern}`);
  }
}

function number(shape: Shape, value: unknown, at: string, found: Findings): void {
  const whole = shape.type === 'integer' || shape.type === 'long';
  if (typeof value !== 'number') throw wrongType(value, whole ? 'an Integer' : 'a Float', at);
  if (whole && !Number.isInteger(value)) throw wrongType(value, 'an Integer', at);
  if (shape.min !== undefined && value < shape.min) violate(found, value, at, `Member must have value greater than or equal to ${shape.min}`);
  if (shape.max !== undefined && value > shape.max) violate(found, value, at, `Member must have value less than or equal to ${shape.max}`);
}

function asRecord(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, 'a Structure', at);
  return value as Record<string, unknown>;
}

function wrongType(value: unknown, wanted: string, at: string): ServiceError {
  const given = value === null ? 'NULL_VALUE' : Array.isArray(value) ? 'START_ARRAY' : `${(typeof value).toUpperCase()}_VALUE`;
  const place = at ? ` at '${at}'` : '';
  return new ServiceError('SerializationException', `${given.replace('OBJECT_VALUE', 'START_OBJECT')} can not be converted to ${wanted}${place}`);
}

/** The model's patterns are meant for another engine: the few that JavaScript cannot read are left to AWS. */
function compiled(pattern: string): RegExp | undefined {
  if (!patterns.has(pattern)) patterns.set(pattern, firstValid(pattern));
  return patterns.get(pattern);
}

function firstValid(pattern: string): RegExp | undefined {
  for (const flags of ['su', 's']) {
    try {
      return new RegExp(`^(?:${pattern})$`, flags);
    } catch {
      // Tried again without the Unicode rules, then given up.
    }
  }
  return undefined;
}
