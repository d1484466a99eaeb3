/** Questions that an analyst may ask while the stack is up. */
export const statements: readonly { question: string; sql: string }[] = [
  {
    question: 'Which drift led to which training and which version?',
    sql: 'SELECT drift_cause, drift_feature, toDate(drift_detected_at) AS detected, run_status, version, dataset_rows FROM lineage ORDER BY detected',
  },
  {
    question: 'When did each feature drift most?',
    sql: "SELECT feature, round(max(value), 3) AS highest_psi, toDate(argMax(window_start, value)) AS week FROM drift_over_time WHERE metric = 'psi' GROUP BY feature ORDER BY highest_psi DESC",
  },
  {
    question: 'How good was each version, quarter by quarter?',
    sql: "SELECT version, toStartOfQuarter(window_start) AS quarter, sum(labelled) AS labels, round(1 - sum(errors) / labels, 3) AS accuracy FROM performance_over_time WHERE segment = '' GROUP BY version, quarter ORDER BY quarter, version",
  },
];

/** Returns a shell command that asks ClickHouse. */
export function curlCommand(clickhouseUrl: string, database: string, sql: string): string {
  return `curl -sS '${clickhouseUrl}/?database=${database}' --data "${sql} FORMAT PrettyCompact"`;
}

/** Asks ClickHouse as the command does. @returns the number of rows of the answer */
export async function rowsOf(
  clickhouseUrl: string,
  database: string,
  sql: string,
): Promise<number> {
  const response = await fetch(`${clickhouseUrl}/?database=${database}`, {
    method: 'POST',
    body: `${sql} FORMAT JSON`,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${sql}: ${text}`);
  return JSON.parse(text).rows;
}
