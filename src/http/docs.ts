// /docs: the API reference as pages, served from the installed swagger-ui-dist and from nowhere else. The list of files
// is fixed, so no path of a request ever reaches the disk.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Context } from 'hono';
import { NotFound } from '../errors.ts';
import type { App, AppEnv } from './appTypes.ts';

const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const PACKAGE_FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': CSS,
  'swagger-ui-bundle.js': SCRIPT,
  'favicon-32x32.png': 'image/png',
};

/** Only our own files, and no script in the page itself; Swagger UI writes style attributes and draws with data: images. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** An hour, in seconds: the files change only with a release. */
const MAX_AGE_S = 3_600;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Paylatch API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

// The validator badge would send our description to a server elsewhere.
const START_SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  validatorUrl: null,
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** Adds `GET /docs` and its files. */
export function addDocs(app: App): void {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const kept = new Map<string, Promise<Uint8Array>>();

  function fileNamed(name: string): Promise<Uint8Array> {
    const file = kept.get(name) ?? readFile(join(folder, name)).then(bytes => new Uint8Array(bytes));
    kept.set(name, file);
    return file;
  }

  app.get('/docs', (c: Context<AppEnv>) => {
    c.header('content-security-policy', CONTENT_SECURITY_POLICY);
    c.header('referrer-policy', 'no-referrer');
    return c.html(PAGE);
  });
  app.get('/docs/:file', async (c: Context<AppEnv>) => {
    const name = c.req.param('file') ?? '';
    const type = Object.hasOwn(PACKAGE_FILES, name) ? PACKAGE_FILES[name] : undefined;
    if (name !== 'start.js' && type === undefined) throw new NotFound('The reference has no such file.');
    const body = type === undefined ? START_SCRIPT : ((await fileNamed(name)) as Uint8Array<ArrayBuffer>);
    return c.body(body, 200, { 'content-type': type ?? SCRIPT, 'cache-control': `public, max-age=${MAX_AGE_S}` });
  });
}
