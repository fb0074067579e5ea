// SPDX-License-Identifier: Apache-2.0

/** Labels of a row as `--format` sees them: `.Labels` is all of them, `.Label "key"` the value of one. */
export interface LabelFields {
  Labels: string;
  Label(key: unknown): string;
}

/** The fields of a row that has these labels; a label that it has not is the empty text. */
export function labelFields(labels: Readonly<Record<string, string>>): LabelFields {
  return {
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key) => (Object.hasOwn(labels, String(key)) ? labels[String(key)]! : ''),
  };
}
