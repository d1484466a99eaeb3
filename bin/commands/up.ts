import type { Command } from 'commander';
import { interruption } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { runUp } from '../up/runUp.ts';
import { defaultDir, type UpOptions } from '../up/upOptions.ts';

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('Start Kafka, a schema registry, ClickHouse and all services on this machine.')
    .option('--dir <folder>', 'folder for data, models and logs, which stay', defaultDir)
    .option('--config <file>', 'YAML file of settings (default: that of DRIFTLOOP_CONFIG)')
    .option('--empty', 'first remove the data that earlier runs left in the folder')
    .option('--detach', 'return when everything is up, instead of waiting for Ctrl-C')
    .addHelpText(
      'after',
      `
Needs Java 17, no containers. Everything ends with this command, or with "driftloop down".
Kafka listens on port 9092, the schema registry on 8081 and ClickHouse on 8123, on this machine
only. DRIFTLOOP_KAFKA_PORT, DRIFTLOOP_REGISTRY_PORT and DRIFTLOOP_CLICKHOUSE_PORT choose other
ports; 0 means a free one.

Examples:
  driftloop up
  driftloop up --detach --empty
  driftloop up --config driftloop.yaml`,
    )
    .action((options: UpOptions) => runUp(options, startProgress(), interruption()));
}
