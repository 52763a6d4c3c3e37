// What words mean: one text for a column's head and for /docs/scores.
export const kDefinitions = {
  score: ['Score', 'A number from 0 to 1 that a metric gives over all items of a task, for example the share answered right. Written with four decimals, as `muster run` prints it.'],
  interval: ['Interval', 'The dot is the value. The line is where the true value lies, in 95 of 100 such measurements; its thick part in 50 of 100. Fewer items, longer line. Proportions use Wilson’s interval, other values ± 1.96 standard errors or a bootstrap.'],
  chance: ['Chance', 'What guessing gives: a dotted line. A line that crosses it may be luck.'],
  rank: ['Rank range', 'Which ranks are possible. 1–3 means: nobody is surely better, and two others may be as good. The best possible rank is one more than the number of models whose whole interval lies above this one’s; the worst counts all whose interval reaches this one’s.'],
  n: ['n', 'Items the value is over. A hollow dot is a run of a part of the benchmark only; it has no rank.'],
  votes: ['Votes', 'How many machines gave the same answer to every item, of how many were wanted. Each answer is computed on two machines that do not trust one another, and compared.'],
  class: ['Class', 'Whose arithmetic gave the values: different processors and libraries round differently. Answers of one exact class must have the same bits; others may differ by very little.'],
  margin: ['Margin', 'How far the chosen answer is above the next one, in nats (natural logarithm). 0.1 is a close call, 3 is not.'],
  loglikelihood: ['Log-likelihood', 'The natural logarithm of how probable the model finds the text, summed over its tokens. Nearer to zero is likelier.'],
  gold: ['Gold', 'The right answer, as the task says.'],
  tie: ['Tie', 'Two answers are so close that rounding may decide.'],
  agreed: ['Agreed', 'An item counts as agreed when the machine’s vote is part of the settled answer. It is counted the moment the item settles.'],
  strikes: ['Strikes', 'How often others outvoted the machine without 200 agreeing items between them. Three, and it is quarantined: it is lent to nobody until an operator pardons it.'],
  dtype: ['Numbers', 'In which numbers the model was computed: float32, bfloat16, ...'],
  commit: ['Commit', 'Exactly which weights: the commit on the Hugging Face Hub, or the digest of a directory.'],
  progress: ['Progress', 'Items settled, of all items of the job. An item is settled when enough machines gave the same answer.'],
} as const;
export type Term = keyof typeof kDefinitions;
