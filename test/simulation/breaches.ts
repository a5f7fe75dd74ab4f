export type Law =
  | 'I1 nothing missed'
  | 'I2 in order'
  | 'I2 parents first'
  | 'I3 checkpoint forward'
  | 'I4 nothing after loss'
  | 'I5 one owner'
  | 'I6 in time'
  | 'I7 Java reads it'
  | 'state rides with its checkpoint'
  | 'no lease lost without need'
  | 'a drain saves all'
  | 'dead letters are the poison'
  | 'the tally is true'
  | 'data loss is told'
  | 'a run ends well';

export class LawBroken extends Error {
  readonly law: Law;

  constructor(law: Law, what: string) {
    super(`${law}: ${what}`);
    this.law = law;
  }
}

/** The first breach of each law; breaking one throws nothing, so that what follows from it is seen too. */
export class Breaches {
  readonly broken: LawBroken[] = [];

  add(law: Law, what: string): void {
    if (!this.broken.some((breach) => breach.law === law)) this.broken.push(new LawBroken(law, what));
  }
}
