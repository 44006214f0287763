// An event as it arrived: how it came, its headers and its body, with secrets and personal data masked.
import { html } from 'hono/html';
import type { ArrivedEventRow } from '../../../db/inspect/event.ts';
import { MAX_SHOWN_CHARACTERS, type MaskedBody, maskBody, maskHeaders } from '../order/mask.ts';
import { orderHref } from '../order/pageQuery.ts';
import type { Html } from '../page.ts';
import { copyable, type Definition, definitionList, emptyState, instant, notice, panel } from '../parts.ts';

export function arrivalPanel(event: ArrivedEventRow): Html {
  const { provider, eventKey, source, receivedAt, deliveries, size, bodyHash } = event;
  const body = definitionList([
    { term: 'Told by', value: source === 'operator' ? 'an operator' : `${source} from ${provider}` },
    { term: 'Event key', value: copyable(eventKey) },
    { term: 'Received', value: instant(receivedAt) },
    { term: 'Delivered', value: deliveries === 1 ? 'once' : `${deliveries} times` },
    ...madeOf(event),
    { term: 'Body', value: `${size.toLocaleString('en')} bytes` },
    { term: 'Hash of the body', value: html`<code class="wrap">${bodyHash}</code>` },
  ]);
  return panel({ id: 'arrival', title: 'How it arrived', body });
}

function madeOf({ orderId, appliedVersion }: ArrivedEventRow): Definition[] {
  if (orderId === null) return [];
  const value =
    appliedVersion === null
      ? 'no transition'
      : html`<a href="${orderHref(orderId)}/replay?step=${appliedVersion}">version ${appliedVersion}</a>`;
  return [{ term: 'Made', value }];
}

export function headersPanel({ headers }: ArrivedEventRow): Html {
  const all = maskHeaders(headers);
  const body =
    all.length === 0
      ? emptyState(
          'No headers',
          'None of its headers were kept: it came without those that help to understand a delivery.',
        )
      : html`<dl class="facts">${all.map(({ name, value }) => html`<div><dt>${name}</dt><dd><code class="wrap">${value}</code></dd></div>`)}</dl>`;
  return panel({ id: 'headers', title: 'Headers', aside: 'those that are kept', live: false, body });
}

export function bodyPanel({ raw, size }: ArrivedEventRow): Html {
  const body = maskBody(raw, raw.length === size);
  return panel({ id: 'body', title: 'Body', aside: maskedWords(body), live: false, body: bodyView(body) });
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
