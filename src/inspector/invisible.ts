// Characters that nobody sees, made visible: one that turns text round, or one between two letters of an id, makes a value
// look like another one. Values are others' text, wherever a page shows one; so the whole page is gone through, once, when it
// is ready, and no page can forget it.

/**
 * Whatever Unicode says is shown as nothing (zero-width, fillers, joiners, selectors, tags and the controls of direction),
 * control characters but for the blank ones, separators of lines, marks of annotation, and a pattern of no dots.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800\ufff9-\ufffb]|(?![\t\n\r])\p{Cc}/u;
/** In a picture drawn from several characters the joiners and selectors are seen, as the picture. */
const PICTURE =
  /\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?(?:\u200d\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)*/u;
const PICTURE_OR_INVISIBLE = new RegExp(`(${PICTURE.source})|${INVISIBLE.source}`, 'gu');
/** An element's tag with its attributes, or text that a field holds: `html` leaves no other `<` and `>` on a page. */
const TAG = /<textarea[^>]*>[^<]*|<[^>]*>/g;
/** Attributes that are read by people. The others hold what is copied, followed or sent, and stay as they are. */
const READ = /( (?:title|aria-label|placeholder)=")([^"]*)/g;

const escaped = (text: string): string =>
  text.replace(
    PICTURE_OR_INVISIBLE,
    (one, picture?: string) =>
      picture ?? `‹U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`,
  );

/** `a\u202eb` in the text of a page becomes `a‹U+202E›b`. */
export function showInvisible(page: string): string {
  if (!INVISIBLE.test(page)) return page;
  let shown = '';
  let end = 0;
  for (const { 0: tag, index } of page.matchAll(TAG)) {
    shown += escaped(page.slice(end, index)) + tag.replace(READ, (_, name, value) => name + escaped(value));
    end = index + tag.length;
  }
  return shown + escaped(page.slice(end));
}
