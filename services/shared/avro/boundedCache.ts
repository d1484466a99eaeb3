interface Entry<Value> {
  value: Value;
  weight: number;
  lastUse: number;
}

/** A map whose entries have weights, and which forgets those that were not used for the longest. */
export class BoundedCache<Key, Value> {
  readonly #maxWeight: number;
  readonly #entries = new Map<Key, Entry<Value>>();
  #weight = 0;
  #uses = 0;

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  get size(): number {
    return this.#entries.size;
  }

  isFull(): boolean {
    return this.#weight >= this.#maxWeight;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.lastUse = ++this.#uses;
    return entry.value;
  }

  set(key: Key, value: Value, weight: number): void {
    this.delete(key);
    this.#entries.set(key, { value, weight, lastUse: ++this.#uses });
    this.#weight += weight;
  }

  delete(key: Key): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }

  /** Forgets entries until half of the weight is left, if the cache is full. */
  trim(): void {
    if (!this.isFull()) return;
    const byUse = [...this.#entries].sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [key] of byUse) {
      if (this.#weight <= this.#maxWeight / 2) return;
      this.delete(key);
    }
  }
}
