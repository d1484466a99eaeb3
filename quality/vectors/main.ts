/**
 * npm run quality:vectors: measures how well changes of embeddings are found, on public word
 * vectors, by the detector and by the default rules of Evidently.
 */
import { Command } from 'commander';
import { formatTable } from '../../bin/terminal/formatTable.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { parseRepeats } from '../terminal/parseRepeats.ts';
import { showProgress } from '../terminal/showProgress.ts';
import { changes, embeddingsOf } from './embeddings.ts';
import {
  changedWindows,
  type JudgedEmbeddings,
  judgeEmbeddings,
  type Spoken,
} from './judgeEmbeddings.ts';
import { installedWordVectors } from './wordVectors.ts';

const windowRecords = [300, 2_000];
const maxWords = 20_000;

const { repeats } = new Command('npm run quality:vectors --')
  .description(
    'Prints the share of streams in which a change of embeddings is found, and the false alarms, ' +
      'by Driftloop and by the default rules of Evidently for the same windows.',
  )
  .option('--repeats <number>', 'streams per row', '20')
  .parse()
  .opts<{ repeats: string }>();

type Rule = keyof Spoken;
const rules: Record<Rule, string> = {
  driftloop: 'Driftloop',
  distance: 'distance > 0.2',
  classifier: 'AUC > 0.55',
};

const streams = parseRepeats(repeats);
const { detection } = parseSettings('', 'defaults').of('');
showProgress('reading word vectors');
const words = (await installedWordVectors()).slice(0, maxWords);
const embeddings = embeddingsOf(words.map(({ vector }) => vector));
for (const records of windowRecords) {
  const judged = Array.from({ length: streams }, (_, stream) => {
    showProgress(`${records} vectors per window: stream ${stream + 1} of ${streams}`);
    return judgeEmbeddings(embeddings, records, stream, detection);
  });
  showProgress('');
  console.log(`${records} vectors per window: share of ${streams} streams in which it is found`);
  console.log(`${formatTable(changes.map(change => foundRow(change, judged)))}\n`);
  console.log('Alarms while nothing changes, per 1000 windows');
  console.log(`${formatTable(Object.keys(rules).map(rule => falseRow(rule as Rule, judged)))}\n`);
}

/** How often a change is found in its first window, and in its first five. */
function foundRow(change: (typeof changes)[number], judged: readonly JudgedEmbeddings[]) {
  const share = (rule: Rule, windows: number) => {
    const found = judged.filter(({ changed }) =>
      changed[change][rule].slice(0, windows).includes(true),
    );
    return (found.length / judged.length).toFixed(2);
  };
  return {
    change,
    ...Object.fromEntries(
      Object.entries(rules).flatMap(([rule, name]) =>
        [1, changedWindows].map(windows => [`${name}, ${windows}`, share(rule as Rule, windows)]),
      ),
    ),
  };
}

function falseRow(rule: Rule, judged: readonly JudgedEmbeddings[]) {
  const windows = judged.flatMap(({ unchanged }) => unchanged[rule]);
  const alarms = windows.filter(Boolean).length;
  return {
    rule: rules[rule],
    windows: windows.length,
    alarms,
    'per 1000': ((1000 * alarms) / windows.length).toFixed(2),
  };
}
