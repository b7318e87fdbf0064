// Schedules after R3GAN (Huang et al., 2024, appendix): learning rate, penalty weight and beta2 move on a cosine from a
// start to an end in the course of training, and the generator's average lengthens with it. Where this differs, it is
// because the paper's runs are a hundred times as long: the learning rate is higher and falls over the whole run instead
// of the burn-in, and the average's half-life is a share of the pictures seen so far until it reaches its length.

export interface Schedule {
  rate: number;
  gamma: number;
  beta2: number;
  /** Weight that the averaged generator keeps at each step. */
  decay: number;
}

/** Share of the run in which penalty and beta2 move; the paper's is a fifth to a third. */
const BURN_IN = 0.3;
/** Thrice the paper's: a run here takes thousands of steps where the paper's takes hundreds of thousands. */
const RATE = { start: 6e-4, end: 1.5e-4 };
/** The paper's values for 64 px faces, halved in span: a batch of 16 carries more noise than one of 256. */
const GAMMA = { start: 2, end: 0.5 };
const BETA2 = { start: 0.9, end: 0.99 };
/** Pictures after which the average has forgotten half, at most, and as a share of those seen so far. */
const HALF_LIFE = 20_000;
const HALF_LIFE_SHARE = 0.05;

const cosine = ({ start, end }: { start: number; end: number }, progress: number, span: number): number =>
  end + (start - end) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress / span)));

/** @param progress share of the run that is done, 0 to 1; @param images pictures seen; @param batch pictures a step. */
export function schedule(progress: number, images: number, batch: number): Schedule {
  const halfLife = Math.min(HALF_LIFE, images * HALF_LIFE_SHARE);
  return {
    // The learning rate falls over the whole run: runs on a laptop are short, and end better slow.
    rate: cosine(RATE, progress, 1),
    gamma: cosine(GAMMA, progress, BURN_IN),
    beta2: cosine(BETA2, progress, BURN_IN),
    decay: halfLife < batch ? 0 : 0.5 ** (batch / halfLife),
  };
}
