// What a retry consists of and how each part ended, as sentences.
import type { RetryEnd, RetryPart } from '../../retry/parts.ts';
import { deadlineWords } from '../order/effectWords.ts';

/** What is run, as the rest of a sentence: `runs the effect refund again under the key …`. */
export function partWords({ what, name, key }: RetryPart): string {
  switch (what) {
    case 'event':
      return `decides the kept event ${name ?? ''} again, under its own key ${key ?? ''}`;
    case 'deadline':
      return `hears the overdue deadline: ${deadlineWords(name ?? '')}`;
    case 'grant':
      return 'tries to write the grant again';
    case 'parked':
      return 'takes the order out of parked, because its cause is gone';
    case 'effect':
      return `runs the effect ${name ?? ''} again, under its own key ${key ?? ''}`;
  }
}

const SUBJECTS: Readonly<Record<RetryPart['what'], string>> = {
  event: 'the kept event',
  deadline: 'the deadline',
  grant: 'the grant',
  parked: 'the way out of parked',
  effect: 'the effect',
};

/** How it ended: `the effect refund: runs again`, `the grant is written`. */
export function endWords({ what, name, done, verdict, detail, error }: RetryEnd): string {
  const subject = `${SUBJECTS[what]}${name ? ` ${name}` : ''}`;
  if (error) return `${subject}: ${error.detail}`;
  const because = detail ? `, ${detail}` : '';
  if (!done) return `${subject}: as stuck as before${because}`;
  if (what === 'grant' && verdict === 'applied') return 'the grant is written';
  if (what === 'effect' && verdict === 'applied') return `${subject}: runs again${because}`;
  return `${subject}: ${verdict ?? 'done'}${because}`;
}
