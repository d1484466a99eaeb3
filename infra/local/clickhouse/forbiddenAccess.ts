/**
 * Table functions, functions, engines and sources that read or write files, run programs or connect
 * to other servers, and `eval`, which could hide one of them. In lower case.
 */
const names = [
  'arrowstream',
  'azure\\w*',
  'cassandra',
  'cosn',
  'deltalake\\w*',
  'disk',
  'embeddedrocksdb',
  'eval',
  'executable\\w*',
  'file',
  'filecluster',
  'filelog',
  'filesystem',
  'gcs',
  'hdfs\\w*',
  'http',
  'hudi\\w*',
  'iceberg\\w*',
  'jdbc',
  'kafka',
  'library',
  'materializedpostgresql',
  'mongodb',
  'mysql',
  'nats',
  'odbc',
  'oss',
  'paimon\\w*',
  'postgresql',
  'prometheusquery\\w*',
  'python',
  'rabbitmq',
  'redis',
  'remote\\w*',
  's3\\w*',
  'sqlite',
  'url',
  'urlcluster',
  'ytsaurus',
];
const anyName = `(?:${names.join('|')})`;
const space = '(?:\\s|/\\*[\\s\\S]*?\\*/|--[^\\n]*\\n|#[^\\n]*\\n)*';

/*
 * They look at the text as it is, also inside strings and comments, because a reader of strings that
 * differs from ClickHouse's could be made to overlook a call.
 */
const call = new RegExp(`(?<![\\w$])(${anyName})["\`]?${space}\\(`, 'i');
const engine = new RegExp(`\\bengine${space}=?${space}["\`]?(${anyName})\\b`, 'i');
const keyword = /\b(into\s+outfile|from\s+infile|outfile|infile)\b/i;
/** ClickHouse understands escapes in quoted names, and would take a path for the name of a table. */
const escapedCall = new RegExp(`(["\`][^"\`]*\\\\[^"\`]*["\`])${space}\\(`);
const path = /(["`](?:\/|~)[^"`]*["`]|["`][^"`]*\.\.\/[^"`]*["`]|["`]\\[^"`]*["`])/;
const identifierParameter = /\{\s*(\w+)\s*:\s*Identifier\s*\}/gi;

/**
 * Returns what in a query would reach beyond the data folder, or null. The local ClickHouse runs
 * with the rights of the developer who started it, and asks for no password.
 * @param settings query parameters as `param_name`, among others
 */
export function forbiddenAccess(
  query: string,
  settings: ReadonlyMap<string, string>,
): string | null {
  for (const pattern of [call, engine, keyword, escapedCall, path]) {
    const found = pattern.exec(query);
    if (found) return found[1]!;
  }
  for (const [, name] of query.matchAll(identifierParameter)) {
    const value = settings.get(`param_${name}`);
    if (value !== undefined && /^\W*[/~]|\.\.\//.test(value)) return value;
  }
  return null;
}
