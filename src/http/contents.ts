// Short forms for route definitions: a JSON body, a JSON answer, an answer that is a problem document.
import type { z } from '@hono/zod-openapi';
import type { ErrorCode } from '../errors.ts';
import { problemSchema } from './schemas.ts';

/** A JSON answer. */
export function answers<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A JSON body that must be there: without `required` an empty one would pass unchecked. */
export function takes<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** A problem document with one of these codes. */
export function problem(...codes: ErrorCode[]) {
  return {
    description: `Code ${codes.join(' or ')}`,
    content: { 'application/problem+json': { schema: problemSchema } },
  };
}
