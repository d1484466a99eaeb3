export interface FencedBlock {
  /** Text after the opening back-ticks, such as `ts run`; empty for a drawing. */
  kind: string;
  text: string;
}

/** Returns the fenced code blocks of a Markdown text in their order. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
    kind: kind!,
    text: text!,
  }));
}
