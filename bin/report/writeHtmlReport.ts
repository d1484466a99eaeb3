import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import {
  driftEventRows,
  listOf,
  modelVersionRows,
  openNoticeRows,
  type Row,
  versionCounts,
} from './reportQueries.ts';
import { type VersionView, versionView } from './versionView.ts';
import type { ReplayReport } from './writeReport.ts';

const require = createRequire(import.meta.url);

/** What the page shows. */
export interface HtmlReportData {
  input: ReplayReport['input'];
  refused: ReplayReport['refused'];
  notices: Row[];
  driftEvents: Row[];
  modelVersions: Row[];
  versions: VersionView[];
}

/**
 * Writes what a replay has found as one page for a person, which needs neither a server nor a
 * network. The file is complete or does not exist.
 */
export async function writeHtmlReport(
  path: string,
  clickhouse: Clickhouse,
  { input, refused, settings }: ReplayReport,
): Promise<void> {
  const versions: VersionView[] = [];
  for (const version of await versionCounts(clickhouse)) {
    const { windowSizeMs } = settings.of(version.model);
    versions.push(await versionView(clickhouse, version, windowSizeMs));
  }
  const data: HtmlReportData = {
    input,
    refused,
    notices: await listOf(openNoticeRows(clickhouse)),
    driftEvents: await listOf(driftEventRows(clickhouse)),
    modelVersions: await listOf(modelVersionRows(clickhouse)),
    versions,
  };
  await writeFile(`${path}.unfinished`, htmlPage(data));
  await rename(`${path}.unfinished`, path);
}

/** Returns the page with its data, its style and its program in it. */
export function htmlPage(data: HtmlReportData): string {
  const parts: Record<string, string> = {
    '/* STYLE */': packageFile('uplot/dist/uPlot.min.css') + ownFile('page.css'),
    // No text of the data can end the element that holds it.
    '"DATA"': JSON.stringify(data).replaceAll('<', '\\u003c'),
    '/* PROGRAM */': packageFile('uplot/dist/uPlot.iife.min.js') + ownFile('page.js'),
  };
  return Object.entries(parts).reduce(
    (page, [place, part]) => page.replace(place, () => part),
    ownFile('page.html'),
  );
}

function packageFile(path: string): string {
  return readFileSync(require.resolve(path), 'utf8');
}

function ownFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
