// The page of one event, and that of wrong signatures.

export const EVENT_STYLE = `
.event { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.event .order-columns { margin-top: 0; }
.event-order { display: flex; flex-wrap: wrap; gap: .125rem .5rem; align-items: center; }
.event-orders > li:first-child { padding-top: 0; }
.event-orders .act-what { display: grid; gap: .125rem; }
.event-links { display: flex; flex-wrap: wrap; gap: .125rem 1rem; }
.event .act-list + .note { margin-top: .75rem; }
.overview-foot a { text-decoration: underline; text-underline-offset: .15em; }
.event-notes { display: grid; gap: .25rem; padding: 0; list-style: none; overflow-wrap: anywhere; }
.event .act-list .act-row .button { white-space: nowrap; }
.event .panel-body > .notice + .facts { margin-top: .625rem; }
.signature-hours, .signature-causes { margin-top: .75rem; }
.signature-hours ul { display: grid; gap: .125rem .75rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); margin-top: .375rem; padding: 0; list-style: none; }
.signature-causes .prose { margin-top: .5rem; gap: .625rem; max-width: 52rem; }
.signature-causes .remedy { color: var(--quiet); }
.signature-causes summary, .signature-hours summary { font-weight: 520; }
`;
