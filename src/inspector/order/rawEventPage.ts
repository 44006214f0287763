// One event as it arrived: its headers and body with secrets and personal data masked, and what became of it.
import { html } from 'hono/html';
import type { RawEventRow } from '../../../db/inspect/orderEvent.ts';
import type { Html } from '../page.ts';
import { copyable, definitionList, emptyState, instant, notice, panel, verdictBadge } from '../parts.ts';
import { MAX_SHOWN_CHARACTERS, type MaskedBody, maskBody, maskHeaders } from './mask.ts';
import { orderHref } from './pageQuery.ts';
import { whatBecame } from './verdictWords.ts';

/** Of a body at most this much is read, in bytes: intake takes no more than 256 KiB, so all of any that came. */
export const MAX_RAW_BYTES = 300_000;

export function rawEventView(orderId: string, event: RawEventRow): Html {
  const { provider, eventKey, type, source, receivedAt, deliveries, appliedVersion, verdict, size, bodyHash } = event;
  const body = maskBody(event.raw, event.raw.length === size);
  const told = source === 'operator' ? 'an operator' : `${source} from ${provider}`;
  return html`<p class="crumbs"><a href="/inspector/orders">Orders</a> / <a href="${orderHref(orderId)}#timeline"><code>${orderId}</code></a></p>
    <h1>${type} ${verdictBadge(verdict)}</h1>
    <p class="raw-lead">${whatBecame(event, null)}</p>
    ${panel({
      id: 'arrival',
      title: 'How it arrived',
      live: false,
      body: definitionList([
        { term: 'Told by', value: told },
        { term: 'Event key', value: copyable(eventKey) },
        { term: 'Received', value: instant(receivedAt) },
        { term: 'Delivered', value: deliveries === 1 ? 'once' : `${deliveries} times` },
        {
          term: 'Made',
          value:
            appliedVersion === null
              ? 'no transition'
              : html`<a href="${orderHref(orderId)}/replay?step=${appliedVersion}">version ${appliedVersion}</a>`,
        },
        { term: 'Body', value: `${size.toLocaleString('en')} bytes` },
        { term: 'Hash of the body', value: html`<code class="wrap">${bodyHash}</code>` },
      ]),
    })}
    ${panel({ id: 'headers', title: 'Headers', aside: 'those that are kept', live: false, body: headersView(event) })}
    ${panel({ id: 'body', title: 'Body', aside: maskedWords(body), live: false, body: bodyView(body) })}`;
}

function headersView({ headers }: RawEventRow): Html {
  const all = maskHeaders(headers);
  if (all.length === 0)
    return emptyState(
      'No headers',
      'None of its headers were kept: it came without those that help to understand a delivery.',
    );
  return html`<dl class="facts">${all.map(({ name, value }) => html`<div><dt>${name}</dt><dd><code class="wrap">${value}</code></dd></div>`)}</dl>`;
}

function maskedWords({ masked, kind }: MaskedBody): string {
  if (kind === 'empty' || kind === 'unreadable') return '';
  const form = kind === 'form' ? 'a form, shown as JSON; ' : '';
  return `${form}${masked === 0 ? 'nothing masked' : `${masked} ${masked === 1 ? 'value' : 'values'} masked`}`;
}

function bodyView({ kind, text, truncated }: MaskedBody): Html {
  if (kind === 'empty') return emptyState('Empty', 'It came without a body.');
  if (kind === 'unreadable')
    return emptyState(
      'Not shown',
      'The body is neither JSON nor a form, so nobody can tell what in it is secret. Its bytes are kept in the table inbox.',
    );
  return html`<p class="quiet">Only what is known to be harmless is shown; everything else keeps its place and its length.</p>
    <pre class="raw-body" tabindex="0" aria-label="Body"><code>${text}</code></pre>
    ${truncated ? notice('held', `Cut after ${MAX_SHOWN_CHARACTERS.toLocaleString('en')} characters.`) : ''}`;
}
