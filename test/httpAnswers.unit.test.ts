// What the outermost layers do to an answer that a route has made.
import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { answerHeaders } from '../src/http/answerHeaders.ts';
import type { AppEnv } from '../src/http/appTypes.ts';
import { requestId } from '../src/http/requestId.ts';

test('an answer gets its headers as it is: made anew it would cost as much again as the rest of a webhook', async () => {
  const app = new Hono<AppEnv>();
  const answers: Response[] = [];
  const noted = async (c: { res: Response }, next: () => Promise<void>) => {
    await next();
    answers.push(c.res);
  };
  app.use(noted, requestId({ newId: () => 'req_1', log: pino({ level: 'silent' }) }), answerHeaders, noted);
  app.get('/', c => c.json({ verdict: 'applied' }));
  const answer = await app.request('/');
  expect(answers[0]).toBe(answers[1]);
  expect(answers[0]).toBe(answer);
  expect(answer.headers.get('x-request-id')).toBe('req_1');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});
