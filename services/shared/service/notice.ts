import type { VersionName } from '../versionKey.ts';

/** What a careful colleague would say about how a model version is logged. */
export interface Notice {
  /** Kind of the notice in kebab case, such as `score-disagrees-with-predictions`. */
  code: string;
  /** The feature or class that it is about, or '' for the whole version. */
  subject: string;
  /** Event time from which it holds, ms since the epoch. */
  sinceMs: number;
  /** What is odd, in one sentence. A change of it is told again, so it names no running count. */
  message: string;
  /** The numbers behind it, with an example. A change of it alone is not told again. */
  evidence: string;
  /** What to do, in one sentence. */
  advice: string;
}

/** Notices of a model version that are stated together, such as all about its output. */
export interface NoticeFamily extends VersionName {
  family: string;
}

/** A notice as it is stored and published. */
export interface StatedNotice extends Notice, NoticeFamily {
  status: 'open' | 'closed';
  /** Grows with what was seen of the version. */
  progress: number;
}

/**
 * Compares what is stored of a family with what holds now, and returns the rows to write: notices
 * that are new, that hold again, whose message changed, or that hold no longer. Returns none if
 * whoever wrote what is stored had seen more. O(stored + notices).
 */
export function changedNotices(
  stored: readonly StatedNotice[],
  notices: readonly Notice[],
  family: NoticeFamily & { progress: number },
): StatedNotice[] {
  if (stored.some(({ progress }) => progress > family.progress)) return [];
  const storedByKey = new Map(stored.map(notice => [noticeKey(notice), notice]));
  const opened = notices.flatMap((notice): StatedNotice[] => {
    const before = storedByKey.get(noticeKey(notice));
    const isTold = before?.status === 'open' && before.message === notice.message;
    return isTold ? [] : [{ ...notice, ...family, status: 'open' }];
  });
  const held = new Set(notices.map(noticeKey));
  const closed = stored
    .filter(notice => notice.status === 'open' && !held.has(noticeKey(notice)))
    .map((notice): StatedNotice => ({ ...notice, ...family, status: 'closed' }));
  return [...opened, ...closed];
}

function noticeKey({ code, subject }: Pick<Notice, 'code' | 'subject'>): string {
  return `${code}:${subject}`;
}
