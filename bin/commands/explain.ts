import type { Command } from 'commander';
import type { WindowAccount } from '../../services/detector/fold/windowAccount.ts';
import type { ExplainedWindow } from '../../services/detector/judging/explainWindow.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';
import { accountOfInstallation, requestOfStoredEvent } from '../explain/accountOfInstallation.ts';
import { accountOfReport, readReport, requestOfEvent } from '../explain/accountOfReport.ts';
import { accountText } from '../explain/accountText.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { parseTime } from '../terminal/parseTime.ts';
import { printableTexts } from '../terminal/printable.ts';

interface ExplainOptions {
  feature?: string;
  segment: string;
  report?: string;
  json?: boolean;
}

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('Say why a window alarmed, or why it did not, with the numbers of every test.')
    .argument('<event-or-model>', 'id of a drift event, or the name of a model')
    .argument('[version]', 'version of the model')
    .argument('[window]', 'any time within the window, such as 2026-05-03T14:00Z', parseTime)
    .option('--feature <name>', 'show all tests of this feature, and no others')
    .option(
      '--segment <name=value>',
      'explain the window of a segment (default: all predictions)',
      '',
    )
    .option('--report <file>', 'explain from the report of a replay instead of an installation')
    .option('--json', 'everything as one JSON object, every test at every scale')
    .addHelpText(
      'after',
      `
On an installation the window is folded again from the nearest stored state, so that every test is
shown as it was made. A report has one row for each metric and is explained from these rows.

Examples:
  driftloop explain 9f2c5a1e0b3d4c5f6a7b8c9d0e1f2a3b
  driftloop explain churn 3 2026-05-03T14:00Z --feature age
  driftloop explain churn 3 2026-05-03T14:00Z --report report.json --json`,
    )
    .action(runExplain);
}

async function runExplain(
  eventOrModel: string,
  version: string | undefined,
  timeMs: number | undefined,
  options: ExplainOptions,
): Promise<void> {
  if ((version === undefined) !== (timeMs === undefined))
    throw new UserError(
      'explain: expected the id of a drift event, or a model, a version and a time of the window',
    );
  const request =
    version === undefined || timeMs === undefined
      ? null
      : { model: eventOrModel, version, segment: options.segment, timeMs };
  const account = options.report
    ? explainReport(options.report, eventOrModel, request)
    : await explainInstallation(eventOrModel, request);
  if (options.feature !== undefined) requireFeature(account, options.feature);
  console.log(
    options.json
      ? JSON.stringify(account, null, 2)
      : // Names may have new lines, which would look like lines of the account.
        accountText(printableTexts(account), printableTexts(options.feature ?? null)),
  );
}

function explainReport(
  path: string,
  event: string,
  request: ExplainedWindow | null,
): WindowAccount {
  const report = readReport(path);
  return accountOfReport(report, request ?? requestOfEvent(report, event));
}

async function explainInstallation(
  event: string,
  request: ExplainedWindow | null,
): Promise<WindowAccount> {
  const environment = readEnvironment();
  const settings = readSettings(environment.DRIFTLOOP_CONFIG);
  return withClickhouse(environment, async clickhouse =>
    accountOfInstallation(
      clickhouse,
      settings,
      request ?? (await requestOfStoredEvent(clickhouse, event)),
    ),
  );
}

function requireFeature({ families, untested }: WindowAccount, feature: string): void {
  if (untested !== null) return;
  const names = families.flatMap(({ tests }) => tests.flatMap(test => test.feature.split(' × ')));
  const known = [...new Set(names)].filter(name => name !== '').sort();
  if (!known.includes(feature))
    throw new UserError(
      `--feature ${feature}: not tested in this window; tested are ${known.join(', ')}`,
    );
}
