import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { openNoticeRows } from './reportQueries.ts';

/** Returns one text per notice that is open at the end of the stream. */
export async function noticeTexts(clickhouse: Clickhouse): Promise<string[]> {
  const texts: string[] = [];
  for await (const { model, version, message, evidence, advice } of openNoticeRows(clickhouse))
    texts.push(`notice${whose(model, version)}: ${message} ${evidence} ${advice}`);
  return texts;
}

/** A notice on refused records may be about all versions of a model, or about a whole topic. */
function whose(model: unknown, version: unknown): string {
  if (model === '') return '';
  return version === '' ? ` on ${model}` : ` on ${model}, version ${version}`;
}
