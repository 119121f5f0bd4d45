// What both languages need to tell numbers, plurals and lists.
export function words(locale: string) {
  const numbers = new Intl.NumberFormat(locale);
  const plurals = new Intl.PluralRules(locale);
  const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  return {
    number: (value: number) => numbers.format(value),
    percent: (value: number) => percents.format(value),
    plural: (value: number, forms: { one: string; other: string }) =>
      `${numbers.format(value)} ${plurals.select(value) === 'one' ? forms.one : forms.other}`,
  };
}
