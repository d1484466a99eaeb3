/**
 * npm run quality:peers: compares the detector with those of MOA, on nothing but the errors, or with
 * Evidently and NannyML on the practical cases.
 */
import { Command, Option } from 'commander';
import { UserError } from '../../services/shared/userError.ts';
import { judgeTrack } from '../judge/judgeTrack.ts';
import { byClock, type Cell, scoreCells, scorePositions } from '../report/streamReport.ts';
import { tracks } from '../streams/tracks.ts';
import { parseRepeats } from '../terminal/parseRepeats.ts';
import { showProgress } from '../terminal/showProgress.ts';
import { installedMoa } from './moaDetectors.ts';
import { noteErrors } from './noteErrors.ts';
import { cellsAhead, detectorTable, peerTable } from './peerTable.ts';
import { type ExpectedStream, practicePeers } from './practicePeers.ts';
import { practicePeerTable } from './practicePeerTable.ts';

const errorTracks = tracks.filter(({ signals }) => signals.join() === 'error');
const practiceTrack = tracks.find(({ name }) => name === 'practice-days')!;
/** A case takes the peers minutes at 20,000 records a day. */
const leftOut = '20000';

const options = new Command('npm run quality:peers --')
  .description(
    'Scores the drift events of generated streams, and the changes that ADWIN and SEED find in the same errors, or what Evidently and NannyML say of the practical cases.',
  )
  .addOption(
    new Option('--track <name>', 'generated streams to judge')
      .choices([...errorTracks, practiceTrack].map(({ name }) => name))
      .default('concepts-error-only'),
  )
  .option('--repeats <number>', 'generated streams per cell (default: as in the published table)')
  .option('--only <text>', 'with practice-days: only streams whose name contains this', '')
  .parse()
  .opts<{ track: string; repeats?: string; only: string }>();

try {
  if (options.track === practiceTrack.name)
    await comparePractice(
      options.only,
      options.repeats === undefined ? 1 : parseRepeats(options.repeats),
    );
  else await compare(options.track, options.repeats);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}

async function compare(trackName: string, repeats: string | undefined): Promise<void> {
  const chosen = errorTracks.find(({ name }) => name === trackName)!;
  const wantedRepeats = repeats === undefined ? chosen.repeats : parseRepeats(repeats);
  const moa = await installedMoa();
  const { track, noted } = noteErrors(chosen);
  const judged = await judgeTrack(track, { repeats: wantedRepeats, onStream: showProgress });
  showProgress('');
  const signals = await moa.signals(noted.map(({ errors }) => errors));

  const detectors = new Map<string, Cell[]>([['Driftloop', scoreCells(judged, byClock)]]);
  for (const peer of Object.keys(signals[0]!)) {
    const streams = judged.map(({ truth }, index) => {
      const { positions } = noted[index]!;
      return { truth, positions: signals[index]![peer]!.map(row => positions[row]!) };
    });
    detectors.set(peer, scorePositions(streams));
  }
  console.log(
    `${trackName}: ${judged.length} streams, peers of MOA ${moa.version}; F1, and false alarms per 1000 rows`,
  );
  console.log(peerTable(detectors));
  console.log('\nMeans over the cells, and all alarms:');
  console.log(detectorTable(detectors));
  const cells = detectors.get('Driftloop')!.length;
  const ahead = [...cellsAhead(detectors)]
    .map(([peer, count]) => `of ${peer} in ${count}`)
    .join(', ');
  console.log(`\nThe F1 of Driftloop is above that ${ahead} of ${cells} cells`);
}

async function comparePractice(only: string, repeats: number): Promise<void> {
  const streams = [...practiceTrack.streams(repeats)].filter(
    (stream): stream is ExpectedStream =>
      stream.expectation !== undefined &&
      !stream.name.includes(leftOut) &&
      stream.name.includes(only),
  );
  const track = { ...practiceTrack, streams: () => streams };
  const judged = await judgeTrack(track, { repeats, onStream: showProgress });
  const peers = await practicePeers(streams, showProgress);
  showProgress('');
  console.log(
    `${practiceTrack.name}: ${streams.length} streams; figures per kind of test / per column and metric`,
  );
  console.log(practicePeerTable(peers, judged));
}
