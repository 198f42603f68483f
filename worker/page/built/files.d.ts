/** The page's files by their path, as `worker/deploy/build-page.ts` writes them into `files.js`. */
export interface PageFile {
  /** Its media type. */
  readonly type: string;
  /** Its ETag. */
  readonly tag: string;
  readonly body: string;
}
export declare const files: Readonly<Record<string, PageFile>>;
