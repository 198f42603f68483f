/** A table of an object that its first write makes, so that an object which keeps nothing has none. */
export class Table {
  readonly #sql: SqlStorage;
  readonly #name: string;
  /** What stands between the parentheses of its definition, and what comes after. */
  readonly #definition: string;
  #exists = false;

  constructor(sql: SqlStorage, name: string, definition: string) {
    this.#sql = sql;
    this.#name = name;
    this.#definition = definition;
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** All tables of the object are gone. */
  noteCleared(): void {
    this.#exists = false;
  }

  /** Looks whether it exists. */
  look(): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
    this.#exists = this.#sql.exec(query, this.#name).toArray().length > 0;
    return this.#exists;
  }

  /** Makes it, unless it exists. */
  make(): void {
    if (this.#exists) return;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS ${this.#name} ${this.#definition}`);
    this.#exists = true;
  }
}
