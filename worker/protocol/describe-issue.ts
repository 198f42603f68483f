/** What a schema says about a value, in one line. */
import * as v from 'valibot';

/** The schema quotes what it was given, which may be a whole record. */
const MAX_LENGTH = 200;

export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const text = path === null ? issue.message : `${path}: ${issue.message}`;
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
}
