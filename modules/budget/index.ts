import { BudgetsBudget } from '@cdktf/provider-aws/lib/budgets-budget/index.js';
import { Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

/** Percent of the limit; the second is of the forecast, so it speaks while there is still time. */
const actualPercent = 80;
const forecastPercent = 100;

/** Mail before the month's bill surprises anybody. Counts what carries the tags of this installation. */
export class Budget extends Construct {
  constructor(scope: Construct, naming: Naming) {
    super(scope, 'budget');
    const notify = (notificationType: string, threshold: number) => ({
      notificationType,
      threshold,
      thresholdType: 'PERCENTAGE',
      comparisonOperator: 'GREATER_THAN',
      subscriberEmailAddresses: Token.asList('${var.budget.emails}'),
    });
    const budget = new BudgetsBudget(this, 'budget', {
      name: naming.name('monthly'),
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      limitAmount: '${var.budget.monthly_usd}',
      limitUnit: 'USD',
      costFilter: [
        {
          name: 'TagKeyValue',
          // Values of one filter are alternatives, so the one tag that names the installation. "user:KEY$VALUE".
          values: ['${format("user:Installation$%s", local.prefix)}'],
        },
      ],
      notification: [notify('ACTUAL', actualPercent), notify('FORECASTED', forecastPercent)],
    });
    pin(budget, 'monthly');
  }
}
