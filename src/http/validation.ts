// Turns what zod found wrong into one sentence and a list: the field by its path, and what it should have been.
import type { Context } from 'hono';
import { z } from 'zod';
import { InvalidRequest, NotFound } from '../errors.ts';
import type { AppEnv } from './appTypes.ts';

/** Problems told at once; a body of nothing but mistakes is not worth a longer answer. */
const MAX_PROBLEMS = 10;

/** An issue with these params says that the path names nothing, which is 404 and not 400. */
export const NAMES_NOTHING = { namesNothing: true };

/** An object that refuses unknown fields by name and says which are legal. */
export function strictBody<Shape extends z.ZodRawShape>(shape: Shape) {
  const legal = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? `has unknown fields: ${issue.keys.join(', ')}; legal are: ${legal}`
        : undefined,
  });
}

type Checked = { target: string } & ({ success: true } | { success: false; error: z.core.$ZodError });

/** The default hook of all routes. @throws InvalidRequest, NotFound */
export function refuseInvalid(result: Checked, _c: Context<AppEnv>): void {
  if (result.success) return;
  const problems = telling(result.error.issues)
    .slice(0, MAX_PROBLEMS)
    .map(issue => ({
      field: issue.path.map(String).join('.'),
      detail: sentenceOf(issue),
      namesNothing: issue.code === 'custom' && issue.params?.namesNothing === true,
    }));
  const where = result.target === 'json' ? 'body' : (NAMES_OF_TARGETS[result.target] ?? result.target);
  const sentences = problems.map(({ field, detail }) => `${field || `The ${where}`} ${detail}`);
  const sentence = `${sentences.join('; ')}.`;
  if (problems.some(problem => problem.namesNothing)) throw new NotFound(sentence);
  throw new InvalidRequest(sentence, {
    errors: problems.map(({ field, detail }) => ({ in: where, field, detail })),
  });
}

/** Without what another problem of the same field says better: a wider limit, or what follows from a text nobody can read. */
function telling(issues: z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.filter(issue => {
    const path = issue.path.join('.');
    const others = issues.filter(other => other !== issue && other.path.join('.') === path);
    if (issue.code === 'too_big') return !others.some(o => o.code === 'too_big' && o.maximum < issue.maximum);
    if (issue.code === 'too_small') return !others.some(o => o.code === 'too_small' && o.minimum > issue.minimum);
    return issue.code !== 'custom' || !others.some(other => other.code === 'invalid_format');
  });
}

const NAMES_OF_TARGETS: Record<string, string> = { param: 'path', query: 'query', header: 'headers' };

/** Ours where zod's own words would need an explanation; a schema's own message is taken as it is. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined && issue.message.endsWith('received undefined')) return 'is required';
    return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'too_small') return `must ${limitOf(issue.origin, 'at least', issue.minimum)}`;
  if (issue.code === 'too_big') return `must ${limitOf(issue.origin, 'at most', issue.maximum)}`;
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(value => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'unrecognized_keys' && issue.message.startsWith('Unrecognized')) {
    return `has unknown fields: ${issue.keys.join(', ')}`;
  }
  if (issue.code === 'invalid_key') return `has a key that ${issue.issues.map(sentenceOf).join(', ')}`;
  if (issue.code === 'invalid_format' && issue.format === 'datetime') {
    return 'must be an instant such as 2026-01-31T10:00:00.000Z';
  }
  return issue.message;
}

const KINDS: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function limitOf(origin: string, which: string, limit: number | bigint): string {
  return origin === 'string' ? `have ${which} ${limit} characters` : `be ${which} ${limit}`;
}
