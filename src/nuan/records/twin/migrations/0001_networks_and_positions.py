
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('registry', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='NetworkVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField(help_text='1, 2, … of the company')),
                ('digest', models.CharField(help_text='SHA-256 of the tables as our own JSON', max_length=64)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('source', models.CharField(help_text='name of the file it came from', max_length=200)),
                ('valid_from', models.DateTimeField()),
                ('imported_at', models.DateTimeField()),
                ('imported_by', models.CharField(max_length=120)),
                ('findings', models.JSONField(default=list, help_text='what the checks found and let pass')),
                ('pipes', models.IntegerField()),
                ('valves', models.IntegerField()),
                ('stations', models.IntegerField()),
                ('sources', models.IntegerField()),
                ('length_m', models.FloatField()),
                ('placed', models.IntegerField(help_text='stations whose registry place is known')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='networks', to='registry.company')),
            ],
        ),
        migrations.CreateModel(
            name='NetworkRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(help_text='the moment that the values stand for')),
                ('computed_at', models.DateTimeField()),
                ('outdoor_c', models.FloatField(null=True)),
                ('settled', models.BooleanField()),
                ('why', models.TextField(blank=True, help_text='why nothing could be computed')),
                ('measured', models.IntegerField(default=0, help_text='stations whose heat was measured and fresh')),
                ('modelled', models.IntegerField(default=0, help_text='stations whose heat follows from the weather')),
                ('short', models.IntegerField(default=0, help_text='stations that get too little')),
                ('worst_station', models.CharField(blank=True, max_length=80)),
                ('worst_dp_bar', models.FloatField(null=True)),
                ('heat_kw', models.FloatField(help_text='given by all sources', null=True)),
                ('make_up_kg_per_s', models.FloatField(null=True)),
                ('residuals', models.JSONField(default=list, help_text='measured minus computed, a row a point')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='network_runs', to='registry.company')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='twin.networkversion')),
            ],
        ),
        migrations.CreateModel(
            name='NetworkPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('substation', models.CharField(max_length=80)),
                ('level', models.CharField(help_text='substation, building or home', max_length=12)),
                ('code', models.CharField(max_length=48)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='places', to='twin.networkversion')),
            ],
        ),
        migrations.CreateModel(
            name='ProtectedSite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('hospital', '医院'), ('school', '学校'), ('kindergarten', '幼儿园'), ('care_home', '养老院'), ('welfare', '福利机构'), ('other', '其他')], max_length=12)),
                ('heat_kw', models.FloatField(help_text='what it needs on the design day; null: not known', null=True)),
                ('own_heat', models.BooleanField(default=False, help_text='has a standby source of its own')),
                ('until', models.DateField(help_text='protected up to this day; null: still', null=True)),
                ('building', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='protected_sites', to='registry.building')),
            ],
        ),
        migrations.CreateModel(
            name='ValvePosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valve', models.CharField(max_length=80)),
                ('is_open', models.BooleanField()),
                ('since', models.DateTimeField()),
                ('reason', models.TextField()),
                ('recorded_by', models.CharField(max_length=120)),
                ('recorded_at', models.DateTimeField()),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='valve_positions', to='registry.company')),
            ],
        ),
        migrations.AddIndex(
            model_name='networkversion',
            index=models.Index(fields=['company', '-number'], name='twin_networ_company_d651b8_idx'),
        ),
        migrations.AddConstraint(
            model_name='networkversion',
            constraint=models.UniqueConstraint(fields=('company', 'number'), name='network_number_once'),
        ),
        migrations.AddIndex(
            model_name='networkrun',
            index=models.Index(fields=['company', '-at'], name='twin_networ_company_94fa1d_idx'),
        ),
        migrations.AddConstraint(
            model_name='networkrun',
            constraint=models.UniqueConstraint(fields=('company', 'at'), name='one_network_run_of_a_moment'),
        ),
        migrations.AddIndex(
            model_name='networkplace',
            index=models.Index(fields=['code'], name='twin_networ_code_362820_idx'),
        ),
        migrations.AddConstraint(
            model_name='networkplace',
            constraint=models.UniqueConstraint(fields=('version', 'substation'), name='one_place_of_a_substation'),
        ),
        migrations.AddIndex(
            model_name='valveposition',
            index=models.Index(fields=['company', 'valve', '-since', '-id'], name='twin_valvep_company_7d398d_idx'),
        ),
        migrations.AddConstraint(
            model_name='valveposition',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_valve_is_turned_for_a_reason'),
        ),
    ]
