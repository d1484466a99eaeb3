import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { openNoticeRows } from './reportQueries.ts';

/** Returns one text per notice that is open at the end of the stream. */
export async function noticeTexts(clickhouse: Clickhouse): Promise<string[]> {
  const texts: string[] = [];
  for await (const { model, version, message, evidence, advice } of openNoticeRows(clickhouse))
    texts.push(`notice on ${model}, version ${version}: ${message} ${evidence} ${advice}`);
  return texts;
}
